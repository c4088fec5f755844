using System.Data;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using DataService.Data;
using DataService.Domain;
using DataService.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace DataService.Projects;

/// <summary>
/// The approval that nearly all are: of a project that was never approved, and has neither a repository nor a creation. One statement writes
/// what <see cref="Project.Approve"/>, <see cref="RepoCreationQueue"/> and the audit write together. Whatever is not this case it leaves
/// untouched, for the entities to decide. A test compares the rows of both ways, column by column.
/// </summary>
[SuppressMessage("Security", "CA2100", Justification = "Only constants are put together; values are parameters.")]
internal static partial class PlainApproval
{
    /// <summary>
    /// The project is locked first, as everywhere, and who waited for its lock sees the row as it is then. A creation that is there all the
    /// same, or came meanwhile, violates the key and so undoes the statement. It is not asked for: a plan that was made while there were few
    /// creations would look through all of them, until PostgreSQL counts them anew.
    /// </summary>
    private static readonly string Sql =
        $"""
         WITH approved AS (
             UPDATE projects p SET status = 'review', approved_at = @now
             WHERE p.slug = @slug AND p.status IN ('interviewing', 'review') AND p.approved_at IS NULL AND p.github_repo IS NULL
                 AND {HangfireTables.AreKnown}
             RETURNING p.id, p.slug, p.name, p.created_at, p.search_text),
         wanted AS (SELECT id AS project_id FROM approved),
         {HangfireTables.AddJobs},
         creation AS (
             -- With the text that a trigger would look up.
             INSERT INTO repo_creations (project_id, state, job_id, attempts, retries, run, updated_at, called)
             SELECT project_id, 'queued', job_id::text, 0, 0, 0, @now, search_text FROM added JOIN approved ON approved.id = project_id),
         told AS (
             INSERT INTO creation_events (project_id, at, kind, text, job_id)
             SELECT project_id, @now, 'enqueued', '{RepoCreation.WaitsForWorker}', job_id::text FROM added),
         recorded AS (
             INSERT INTO audit_entries (at, actor, origin, action, project_id, slug, count, request_id)
             SELECT @now, @actor, @origin, @action, id, slug, 1, @request FROM approved)
         SELECT approved.id, approved.name, approved.created_at, added.job_id FROM approved, added
         """;

    /// <summary>Approves the project where it is the plain case, and commits.</summary>
    /// <param name="dataSource">The statement is a transaction by itself.</param>
    /// <param name="slug">Whatever the caller sent.</param>
    /// <param name="entry">For the audit; its time is that of all that is written.</param>
    /// <param name="logger">Told why a statement failed that somebody else has to make up for.</param>
    /// <param name="cancellationToken">Rolls it back.</param>
    /// <returns>The approved project; null where nothing is known to have been done, and the long way has to be gone.</returns>
    /// <exception cref="NpgsqlException">The database refused for a reason that stays.</exception>
    public static async Task<ProjectResponse?> TryAsync(
        NpgsqlDataSource dataSource, string slug, AuditEntry entry, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
            await using var command = new NpgsqlCommand(Sql, connection);
            NpgsqlParameter[] parameters =
            [
                .. HangfireTables.NewJobParameters(null, entry.At),
                new("slug", ProjectQueries.WithoutNul(slug)), new("actor", entry.Actor), new("origin", Words<AuditOrigin>.Of(entry.Origin)),
                new("action", Words<AuditAction>.Of(entry.Action)),
                new("request", NpgsqlDbType.Text) { Value = (object?)entry.RequestId ?? DBNull.Value },
            ];
            command.Parameters.AddRange(parameters);
            // Once in the life of a connection; planning takes longer than the work.
            await command.PrepareAsync(cancellationToken);
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken);
            return await reader.ReadAsync(cancellationToken) ? Read(reader, slug, entry.At) : null;
        }
        catch (NpgsqlException exception) when (IsMadeUpFor(exception))
        {
            LogLeft(logger, exception, slug);
            return null;
        }
    }

    private static ProjectResponse Read(NpgsqlDataReader row, string slug, DateTime now) => new(
        row.GetGuid(0), row.GetString(1), slug, ProjectStatus.Review, null, row.GetDateTime(2),
        new RepoCreationResponse(
            RepoCreationState.Queued, row.GetInt64(3).ToString(CultureInfo.InvariantCulture), 0, null, null, null, null, null, now));

    /// <summary>
    /// Whether the long way can make up for it: it tries again where the fault may pass, finds what was committed without an answer, and
    /// needs neither the tables nor the row as the statement thought them to be.
    /// </summary>
    private static bool IsMadeUpFor(NpgsqlException exception) => exception switch
    {
        { IsTransient: true } => true,
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation } => true,
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.DatatypeMismatch } => true,
        _ => false,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "Approving {Slug} in one statement failed; it is tried in several")]
    private static partial void LogLeft(ILogger logger, Exception exception, string slug);
}
