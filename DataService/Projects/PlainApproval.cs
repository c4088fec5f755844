using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using DataService.Data;
using DataService.Domain;
using DataService.Jobs;
using Npgsql;

namespace DataService.Projects;

/// <summary>
/// The approval that nearly all are: of a project that was never approved, and has neither a repository nor a creation. One statement writes
/// what <see cref="Project.Approve"/>, <see cref="RepoCreationQueue"/> and the audit write together, and those that come at the same time
/// share it. Whatever is not this case it leaves untouched, for the entities to decide. A test compares the rows of both ways, column by column.
/// </summary>
[SuppressMessage("Security", "CA2100", Justification = "Only constants are put together; values are parameters.")]
internal sealed partial class PlainApproval
{
    /// <summary>The statement waits for nobody: what takes so long has lost its server, and the next groups wait behind it.</summary>
    private const int TimeoutSeconds = 10;

    /// <summary>A group's projects stay locked until all of it is written: some ten milliseconds for so many.</summary>
    private const int MostInGroup = 64;

    /// <summary>
    /// The projects are locked first, as everywhere. One that is locked is left to the entities: it would have the others wait. A creation
    /// that is there all the same, or came meanwhile, violates the key and so undoes the statement. It is not asked for: a plan that was made
    /// while there were few creations would look through all of them, until PostgreSQL counts them anew.
    /// </summary>
    private static readonly string Sql =
        $"""
         WITH asked AS (
             SELECT * FROM unnest(@slugs, @times, @data, @actors, @origins, @requests) WITH ORDINALITY AS t(slug, at, data, actor, origin, request, place)),
         locked AS MATERIALIZED (
             SELECT p.id, asked.* FROM asked JOIN projects p ON p.slug = asked.slug
             WHERE p.status IN ('interviewing', 'review') AND p.approved_at IS NULL AND p.github_repo IS NULL AND {HangfireTables.AreKnown}
             FOR UPDATE OF p SKIP LOCKED),
         wanted AS (
             UPDATE projects p SET status = 'review', approved_at = locked.at FROM locked WHERE p.id = locked.id
             RETURNING p.id AS project_id, p.slug, p.name, p.created_at, p.search_text, locked.place, locked.at, locked.data, locked.actor, locked.origin, locked.request),
         {HangfireTables.AddJobs},
         creation AS (
             -- With the text that a trigger would look up.
             INSERT INTO repo_creations (project_id, state, job_id, attempts, retries, run, updated_at, called)
             SELECT project_id, 'queued', job_id::text, 0, 0, 0, at, search_text FROM added),
         told AS (
             INSERT INTO creation_events (project_id, at, kind, text, job_id)
             SELECT project_id, at, 'enqueued', '{RepoCreation.WaitsForWorker}', job_id::text FROM added),
         recorded AS (
             INSERT INTO audit_entries (at, actor, origin, action, project_id, slug, count, request_id)
             SELECT at, actor, origin, '{Words<AuditAction>.Of(AuditAction.Approve)}', project_id, slug, 1, request FROM added)
         SELECT place, project_id, slug, name, created_at, job_id FROM added
         """;

    private readonly NpgsqlDataSource _dataSource;
    private readonly JobSignal _signal;
    private readonly CreationMetrics _metrics;
    private readonly ILogger<PlainApproval> _logger;
    private readonly GroupCommit<Asked, ProjectResponse?> _groups;

    /// <param name="dataSource">The statement is a transaction by itself.</param>
    /// <param name="signal">Raised for each group.</param>
    /// <param name="metrics">Told of what was committed, whether or not its caller still waits.</param>
    /// <param name="logger">Told why a statement failed that others have to make up for.</param>
    public PlainApproval(
        [FromKeyedServices(DataSetup.SingleStatements)] NpgsqlDataSource dataSource, JobSignal signal, CreationMetrics metrics, ILogger<PlainApproval> logger)
    {
        (_dataSource, _signal, _metrics, _logger) = (dataSource, signal, metrics, logger);
        _groups = new GroupCommit<Asked, ProjectResponse?>(DataOptions.MostSingleStatements, MostInGroup, CommitAsync);
    }

    /// <summary>Approvals that wait for the next group.</summary>
    public int Waiting => _groups.Waiting;

    /// <summary>Approves the project where it is the plain case, and commits.</summary>
    /// <param name="slug">Whatever the caller sent.</param>
    /// <param name="entry">For the audit; its time is that of all that is written.</param>
    /// <param name="cancellationToken">Gives up waiting; the approval may be committed all the same.</param>
    /// <returns>The approved project; null where nothing is known to have been done, and the long way has to be gone.</returns>
    /// <exception cref="NpgsqlException">The database refused for a reason that stays.</exception>
    public Task<ProjectResponse?> TryAsync(string slug, AuditEntry entry, CancellationToken cancellationToken) => _groups.CommitAsync(
        new Asked(ProjectQueries.WithoutNul(slug), entry, HangfireTables.EnqueuedData(entry.At, goesOn: true)), cancellationToken);

    private async Task<IReadOnlyList<ProjectResponse?>> CommitAsync(IReadOnlyList<Asked> group)
    {
        try
        {
            var approved = await ExecuteAsync(group);
            var count = approved.Count(project => project is not null);
            if (count > 0)
                _signal.Wake();
            _metrics.Approved(count);
            return approved;
        }
        // What one of several has brought about is not the others' to bear: each goes on by itself.
        catch (Exception exception) when (group.Count > 1 || exception is NpgsqlException failure && IsMadeUpFor(failure))
        {
            LogLeft(exception, string.Join(", ", group.Select(asked => asked.Slug)));
            return new ProjectResponse?[group.Count];
        }
    }

    private async Task<ProjectResponse?[]> ExecuteAsync(IReadOnlyList<Asked> group)
    {
        await using var connection = await _dataSource.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(Sql, connection) { CommandTimeout = TimeoutSeconds };
        NpgsqlParameter[] parameters =
        [
            .. HangfireTables.NewJobParameters(null),
            Of("slugs", asked => asked.Slug), Of("times", asked => asked.Entry.At), Of("data", asked => asked.Data), Of("actors", asked => asked.Entry.Actor),
            Of("origins", asked => Words<AuditOrigin>.Of(asked.Entry.Origin)), Of("requests", asked => asked.Entry.RequestId),
        ];
        command.Parameters.AddRange(parameters);
        // Once in the life of a connection; planning takes longer than the work.
        await command.PrepareAsync();
        await using var reader = await command.ExecuteReaderAsync();
        var approved = new ProjectResponse?[group.Count];
        while (await reader.ReadAsync())
        {
            var place = (int)reader.GetInt64(0) - 1;
            approved[place] = Read(reader, group[place].Entry.At);
        }

        return approved;

        NpgsqlParameter Of<T>(string name, Func<Asked, T> value) => new(name, group.Select(value).ToArray());
    }

    private static ProjectResponse Read(NpgsqlDataReader row, DateTime now) => new(
        row.GetGuid(1), row.GetString(3), row.GetString(2), ProjectStatus.Review, null, row.GetDateTime(4),
        new RepoCreationResponse(
            RepoCreationState.Queued, row.GetInt64(5).ToString(CultureInfo.InvariantCulture), 0, null, null, null, null, null, now));

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

    /// <param name="Slug">Without what no text of PostgreSQL's holds.</param>
    /// <param name="Entry">For the audit.</param>
    /// <param name="Data">Of the job's state, with the trace of the request.</param>
    private sealed record Asked(string Slug, AuditEntry Entry, string Data);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Approving {Slugs} in one statement failed; each is tried in several")]
    private partial void LogLeft(Exception exception, string slugs);
}
