using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using DataService.Data;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Jobs;

/// <summary>
/// All SQL that knows the tables of Hangfire.PostgreSql. It writes for many jobs at once what Hangfire writes for one; a test
/// compares the two, row by row. Whoever uses it asks first whether the schema is the known one, and else goes through Hangfire.
/// </summary>
[SuppressMessage("Security", "EF1002", Justification = "Only constants are put together; values are parameters.")]
internal sealed partial class HangfireTables(ILogger<HangfireTables> logger)
{
    /// <summary>What Hangfire.PostgreSql 1.21.1 installs.</summary>
    public const int KnownVersion = 23;

    /// <summary>The same question as <see cref="AreKnownAsync"/>, as a condition of a statement that changes nothing where it does not hold.</summary>
    public static readonly string AreKnown = $"(SELECT max(version) FROM hangfire.schema) = {KnownVersion.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The job <c>j</c> of a creation <c>c</c>, as an outer join.</summary>
    public const string JoinJob = "LEFT JOIN hangfire.job j ON j.id = c.job_id::bigint";

    /// <summary>Whether <c>j</c> goes on by itself. Not null, also where there is no job.</summary>
    public const string JobIsAlive = "coalesce(j.statename IN ('Enqueued', 'Processing', 'Scheduled', 'Awaiting'), false)";

    /// <summary>Whether <c>j</c> is about to run or at it: not where it only waits for the time of a retry of <c>c</c>.</summary>
    public const string JobIsBusy = $"({JobIsAlive} AND NOT (j.statename = 'Scheduled' AND c.state = 'retrying'))";

    /// <summary>
    /// Approved projects <c>p</c> without a repository and without a live job, of which nobody has been told a reason: a classified
    /// failure waits for a person.
    /// </summary>
    public const string IsMissing =
        $"""
         p.approved_at IS NOT NULL AND p.github_repo IS NULL
         AND (c.project_id IS NULL
              OR c.state = 'failed' AND c.error_code IS NULL AND NOT {JobIsAlive}
              OR c.state IN ('queued', 'creating', 'retrying') AND NOT {JobIsAlive})
         """;

    /// <summary>
    /// The same, and also those that are settled without a repository: here a person asks for it. A job of theirs that waits for the time of a
    /// retry would then find nothing to do: it does not count.
    /// </summary>
    public const string IsMissingToPerson =
        $"""
         p.approved_at IS NOT NULL AND p.github_repo IS NULL
         AND (c.project_id IS NULL
              OR c.state = 'failed' AND c.error_code IS NULL AND NOT {JobIsAlive}
              OR c.state IN ('queued', 'creating', 'retrying') AND NOT {JobIsAlive}
              OR c.state IN ('created', 'skipped') AND (NOT {JobIsAlive} OR j.statename = 'Scheduled'))
         """;

    /// <summary>
    /// Adds the jobs for a common table expression <c>wanted(project_id, at, data)</c> that stands before it, and ends as <c>added</c>, which
    /// has job_id and state_id beside all that was wanted: the job, its state and its place in the queue, as Hangfire's client writes them.
    /// Needs the parameters of <see cref="NewJobParameters"/>; the data are those of <see cref="EnqueuedData"/>. The service's job filters
    /// add no parameters to a job.
    /// </summary>
    public const string AddJobs =
        """
        added AS MATERIALIZED (
            SELECT wanted.*, nextval('hangfire.job_id_seq') AS job_id, nextval('hangfire.state_id_seq') AS state_id FROM wanted),
        added_job AS (
            INSERT INTO hangfire.job (id, stateid, statename, invocationdata, arguments, createdat)
            SELECT job_id, state_id, @state, replace(@invocation, @placeholder, project_id::text)::jsonb, replace(@arguments, @placeholder, project_id::text)::jsonb, at
            FROM added),
        added_state AS (
            INSERT INTO hangfire.state (id, jobid, name, reason, createdat, data)
            SELECT state_id, job_id, @state, @reason, at, data::jsonb FROM added),
        added_queue AS (
            INSERT INTO hangfire.jobqueue (jobid, queue) SELECT job_id, @queue FROM added)
        """;

    /// <summary>
    /// Fetches up to $5 jobs of the queue $2, and tells whether a scheduler has something to do at the time $6: all in one row. First come jobs
    /// that were fetched longer than $3 ago, because their worker is dead, other than the caller's own $4; then those that nobody has fetched,
    /// in Hangfire's order, which is that of the index. Where the schema's version is not $1, nothing is fetched.
    /// </summary>
    public const string Look =
        """
        WITH known AS MATERIALIZED (SELECT coalesce(max(version), 0) = $1 AS is_known FROM hangfire.schema),
        wanted AS MATERIALIZED (SELECT CASE WHEN is_known THEN $5 ELSE 0 END AS jobs FROM known),
        abandoned AS MATERIALIZED (
            SELECT id FROM hangfire.jobqueue WHERE queue = $2 AND fetchedat < now() - $3 AND id <> ALL ($4)
            ORDER BY fetchedat, id LIMIT (SELECT jobs FROM wanted) FOR UPDATE SKIP LOCKED),
        waiting AS MATERIALIZED (
            SELECT id FROM hangfire.jobqueue WHERE queue = $2 AND fetchedat IS NULL
            ORDER BY fetchedat NULLS FIRST, queue, jobid LIMIT (SELECT jobs FROM wanted) - (SELECT count(*) FROM abandoned) FOR UPDATE SKIP LOCKED),
        fetched AS (
            UPDATE hangfire.jobqueue AS entry SET fetchedat = now()
            FROM (SELECT id, true AS is_abandoned FROM abandoned UNION ALL SELECT id, false FROM waiting) AS next
            WHERE entry.id = next.id
            RETURNING entry.id, entry.jobid, entry.fetchedat, next.is_abandoned)
        SELECT is_known,
            EXISTS (SELECT FROM hangfire.set WHERE key = 'schedule' AND score BETWEEN 0 AND $6),
            EXISTS (SELECT FROM hangfire.set WHERE key = 'recurring-jobs' AND score BETWEEN 0 AND $6),
            ARRAY (SELECT id FROM fetched ORDER BY is_abandoned DESC, jobid, id),
            ARRAY (SELECT jobid FROM fetched ORDER BY is_abandoned DESC, jobid, id),
            ARRAY (SELECT fetchedat FROM fetched ORDER BY is_abandoned DESC, jobid, id),
            ARRAY (SELECT is_abandoned FROM fetched ORDER BY is_abandoned DESC, jobid, id)
        FROM known
        """;

    /// <summary>Shows for the rows $1, which were fetched at the times $2, that their workers are alive. Returns those that are still theirs, with the new time.</summary>
    public const string KeepAlive =
        """
        UPDATE hangfire.jobqueue AS entry SET fetchedat = now() FROM unnest($1, $2) AS held(id, fetchedat)
        WHERE entry.id = held.id AND entry.fetchedat = held.fetchedat
        RETURNING entry.id, entry.fetchedat
        """;

    /// <summary>Makes the rows $1, which were fetched at the times $2, the oldest of those that nobody has fetched.</summary>
    public const string HandBack =
        """
        UPDATE hangfire.jobqueue AS entry SET fetchedat = NULL FROM unnest($1, $2) AS held(id, fetchedat)
        WHERE entry.id = held.id AND entry.fetchedat = held.fetchedat
        """;

    /// <summary>Takes the rows $1, which were fetched at the times $2, out of the queue.</summary>
    public const string Remove =
        """
        DELETE FROM hangfire.jobqueue AS entry USING unnest($1, $2) AS held(id, fetchedat)
        WHERE entry.id = held.id AND entry.fetchedat = held.fetchedat
        """;

    /// <summary>The trace that job $1 goes on with, and the one that it links to, as its latest request to run has left them.</summary>
    public const string TraceOf =
        $"""
         SELECT data ->> '{JobTrace.Parent}', data ->> '{JobTrace.Link}' FROM hangfire.state
         WHERE jobid = $1 AND data ?| ARRAY['{JobTrace.Parent}', '{JobTrace.Link}'] ORDER BY id DESC LIMIT 1
         """;

    /// <summary>What monitoring sees of the queue and of the instances: rows of a figure's name, a label and a value.</summary>
    public const string Figures =
        """
        SELECT 'queue.depth', NULL, count(*)::float8 FROM hangfire.jobqueue WHERE fetchedat IS NULL
        UNION ALL
        SELECT 'queue.age', NULL, coalesce((
            SELECT extract(epoch FROM greatest(now() - s.createdat, interval '0'))::float8
            FROM hangfire.jobqueue q JOIN hangfire.job j ON j.id = q.jobid JOIN hangfire.state s ON s.id = j.stateid
            WHERE q.fetchedat IS NULL ORDER BY q.id LIMIT 1), 0)
        UNION ALL
        SELECT 'hangfire.servers', NULL, count(*)::float8 FROM hangfire.server WHERE lastheartbeat > now() - interval '1 minute'
        """;

    /// <summary>Hangfire's own takes over a lock that is older: its owner is dead. Set in <see cref="JobsSetup"/>.</summary>
    public static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);

    private const string LockName = "'hangfire:job:' || id || ':state-lock'";

    private static readonly Guid Placeholder = Guid.Parse("01234567-89ab-7def-8123-456789abcdef");

    private static readonly InvocationData Call =
        InvocationData.SerializeJob(Job.FromExpression<CreateProjectRepoJob>(job => job.RunAsync(Placeholder, null!, CancellationToken.None)));

    private static readonly string SerializedCall = SerializationHelper.Serialize(Call);

    /// <summary>Whether the schema is the one that this SQL knows. It may change while the service runs: another instance may be newer.</summary>
    public async Task<bool> AreKnownAsync(DataServiceDbContext db, CancellationToken cancellationToken)
    {
        var version = await db.Database.SqlQuery<int>($"""SELECT max(version) AS "Value" FROM hangfire.schema""").SingleAsync(cancellationToken);
        if (version != KnownVersion)
            LogUnknown(version, KnownVersion);
        return version == KnownVersion;
    }

    /// <summary>What stands in Hangfire's tables; null where they are not there. Any version of them will do.</summary>
    public static async Task<HangfireFigures?> ReadFiguresAsync(DataServiceDbContext db, CancellationToken cancellationToken)
    {
        if (!await db.Database.SqlQuery<bool>($"""SELECT to_regclass('hangfire.schema') IS NOT NULL AS "Value" """).SingleAsync(cancellationToken))
            return null;
        return await db.Database.SqlQuery<HangfireFigures>(
            $"""
             SELECT (SELECT max(version) FROM hangfire.schema) AS version,
                    (SELECT count(*)::int FROM hangfire.server WHERE lastheartbeat > now() - interval '30 seconds') AS servers,
                    (SELECT count(*)::int FROM hangfire.jobqueue WHERE fetchedat IS NULL) AS waiting,
                    (SELECT extract(epoch FROM now() - s.createdat)::float8
                     FROM hangfire.jobqueue q JOIN hangfire.job j ON j.id = q.jobid JOIN hangfire.state s ON s.id = j.stateid
                     WHERE q.fetchedat IS NULL ORDER BY q.id LIMIT 1) AS oldest_seconds
             """).SingleAsync(cancellationToken);
    }

    /// <summary>
    /// Takes Hangfire's own locks on the jobs, to the end of the transaction: nobody else changes their states, and whoever is at it
    /// is not waited for. Then reads the jobs' states.
    /// </summary>
    /// <param name="db">With an open transaction.</param>
    /// <param name="ids">Of jobs, be they gone.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    public static async Task<LockedJobs> LockAsync(DataServiceDbContext db, long[] ids, DateTime now, CancellationToken cancellationToken)
    {
        var held = (await db.Database.SqlQueryRaw<HeldLocks>(
            $"""
             WITH taken AS (
                 INSERT INTO hangfire.lock AS held (resource, acquired) SELECT {LockName}, @now FROM unnest(@ids) AS t(id)
                 ON CONFLICT (resource) DO UPDATE SET acquired = excluded.acquired WHERE held.acquired < @expired
                 RETURNING held.resource, held.ctid)
             SELECT coalesce(array_agg(split_part(resource, ':', 3)::bigint), ARRAY[]::bigint[]) AS ids, coalesce(array_agg(ctid::text), ARRAY[]::text[]) AS places FROM taken
             """, new NpgsqlParameter("ids", ids), new NpgsqlParameter("now", now), new NpgsqlParameter("expired", now - LockTimeout)).ToListAsync(cancellationToken))[0];
        // A statement of its own: it has to see what was committed before the locks were free. Expired jobs are deleted without a lock.
        var jobs = (await db.Database.SqlQueryRaw<JobStates>(
            """
            SELECT coalesce(array_agg(id), ARRAY[]::bigint[]) AS ids, coalesce(array_agg(statename), ARRAY[]::text[]) AS states
            FROM (SELECT id, statename FROM hangfire.job WHERE id = ANY(@ids) FOR UPDATE SKIP LOCKED) j
            """, new NpgsqlParameter("ids", held.Ids)).ToListAsync(cancellationToken))[0];
        var busy = held.Ids.Length == ids.Length ? [] : ids.Except(held.Ids).ToHashSet();
        if (jobs.Ids.Length < held.Ids.Length)
        {
            var unseen = held.Ids.Except(jobs.Ids).ToArray();
            busy.UnionWith(await db.Database.SqlQueryRaw<long>("""SELECT id AS "Value" FROM hangfire.job WHERE id = ANY(@ids)""", new NpgsqlParameter("ids", unseen)).ToListAsync(cancellationToken));
        }

        return new LockedJobs(held.Places, busy, jobs.Ids.Zip(jobs.States).ToDictionary(job => job.First, job => job.Second));
    }

    /// <summary>Gives the locks of <see cref="LockAsync"/> back, by the places where this transaction has put them. They are free at the commit.</summary>
    public static Task<int> UnlockAsync(DataServiceDbContext db, LockedJobs jobs, CancellationToken cancellationToken) => db.Database.ExecuteSqlRawAsync(
        "DELETE FROM hangfire.lock WHERE ctid = ANY(@places::tid[])", [new NpgsqlParameter("places", jobs.Places)], cancellationToken);

    /// <summary>
    /// Enqueues stored jobs again, as Hangfire's client does it with the service's filters. The jobs are locked, and are Failed, Deleted
    /// or Scheduled; they must not be anything else.
    /// </summary>
    /// <param name="db">With an open transaction.</param>
    /// <param name="jobs">Ids and the names of their states.</param>
    /// <param name="reason">For the jobs' history; null for none.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    public static Task<int> RequeueAsync(
        DataServiceDbContext db, IReadOnlyCollection<(long Id, string State)> jobs, string? reason, DateTime now, CancellationToken cancellationToken) => jobs.Count is 0
        ? Task.FromResult(0)
        : db.Database.ExecuteSqlRawAsync(
            $"""
             WITH again AS MATERIALIZED (SELECT * FROM unnest(@ids, @states) AS t(id, was)),
             entered AS (
                 INSERT INTO hangfire.state (jobid, name, reason, createdat, data) SELECT id, @state, @reason, @now, @data::jsonb FROM again RETURNING id, jobid),
             -- The retry filter gives a settled job a full set of attempts.
             reset AS (
                 UPDATE hangfire.jobparameter AS parameter SET value = '0' FROM again
                 WHERE parameter.jobid = again.id AND parameter.name = '{RetryFilter.RetryCount}' AND parameter.value <> '0' AND again.was <> 'Scheduled'),
             unscheduled AS (
                 DELETE FROM hangfire.set AS entry USING again WHERE entry.key = 'schedule' AND entry.value = again.id::text AND again.was = 'Scheduled'),
             undeleted AS (
                 INSERT INTO hangfire.counter (key, value) SELECT 'stats:deleted', -1 FROM again WHERE was = 'Deleted'),
             queued AS (
                 INSERT INTO hangfire.jobqueue (jobid, queue) SELECT id, @queue FROM again)
             UPDATE hangfire.job SET stateid = entered.id, statename = @state, expireat = NULL FROM entered WHERE job.id = entered.jobid
             """,
            [
                new NpgsqlParameter("ids", jobs.Select(job => job.Id).ToArray()), new NpgsqlParameter("states", jobs.Select(job => job.State).ToArray()),
                .. BulkParameters(now), .. EnqueuedParameters(reason),
            ],
            cancellationToken);

    /// <summary>Adds a job for each of the projects.</summary>
    /// <returns>The jobs' ids.</returns>
    public static async Task<Dictionary<Guid, long>> AddAsync(
        DataServiceDbContext db, IReadOnlyCollection<Guid> projects, string? reason, DateTime now, CancellationToken cancellationToken)
    {
        if (projects.Count is 0)
            return [];
        var added = await db.Database.SqlQueryRaw<AddedRow>(
            $"""
             WITH wanted AS (SELECT project_id, @now AS at, @data AS data FROM unnest(@projects) AS t(project_id)),
             {AddJobs}
             SELECT project_id, job_id FROM added
             """,
            [new NpgsqlParameter("projects", projects.ToArray()), .. BulkParameters(now), .. NewJobParameters(reason)]).ToListAsync(cancellationToken);
        return added.ToDictionary(row => row.ProjectId, row => row.JobId);
    }

    /// <summary>What <see cref="AddJobs"/> needs. The call is as Hangfire spells it, with a placeholder for the project's id.</summary>
    /// <param name="reason">For the jobs' history; null, as Hangfire's client has it, for none.</param>
    public static NpgsqlParameter[] NewJobParameters(string? reason) =>
    [
        new("invocation", SerializedCall), new("arguments", Call.Arguments), new("placeholder", Placeholder.ToString()), .. EnqueuedParameters(reason),
    ];

    /// <summary>What Hangfire's client keeps of a state Enqueued, as JSON, with the trace under way.</summary>
    /// <param name="at">UTC; when it was enqueued.</param>
    /// <param name="goesOn">Whether the job goes on with the trace; too many for one trace only link to it.</param>
    public static string EnqueuedData(DateTime at, bool goesOn)
    {
        var data = new EnqueuedState().SerializeData();
        data["EnqueuedAt"] = JobHelper.SerializeDateTime(at);
        JobTrace.Write(data, goesOn);
        return SerializationHelper.Serialize(data);
    }

    /// <summary>The projects for which <see cref="IsMissing"/> holds.</summary>
    public static Task<List<MissingCreation>> FindMissingAsync(DataServiceDbContext db, CancellationToken cancellationToken) => db.Database.SqlQueryRaw<MissingCreation>(
        $"""
         SELECT p.id, p.slug, c.state, j.statename AS job_state
         FROM projects p LEFT JOIN repo_creations c ON c.project_id = p.id {JoinJob}
         WHERE {IsMissing}
         ORDER BY p.id
         """).ToListAsync(cancellationToken);

    /// <summary>All are enqueued at the same time, by the same request.</summary>
    private static NpgsqlParameter[] BulkParameters(DateTime now) => [new("now", now), new("data", EnqueuedData(now, goesOn: false))];

    private static NpgsqlParameter[] EnqueuedParameters(string? reason) =>
    [
        new("state", EnqueuedState.StateName), new("queue", EnqueuedState.DefaultQueue),
        new("reason", NpgsqlTypes.NpgsqlDbType.Text) { Value = (object?)reason ?? DBNull.Value },
    ];

    /// <summary>Arrays are read many times as fast as rows.</summary>
    /// <param name="Ids">Of the jobs.</param>
    /// <param name="Places">Of the locks in their table.</param>
    private sealed record HeldLocks(long[] Ids, string[] Places);

    /// <inheritdoc cref="HeldLocks"/>
    /// <param name="Ids">Hangfire's.</param>
    /// <param name="States">Null for one that was never enqueued.</param>
    private sealed record JobStates(long[] Ids, string?[] States);

    private sealed record AddedRow(Guid ProjectId, long JobId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Hangfire's schema has version {Version}, known is {KnownVersion}: jobs are enqueued one by one, through Hangfire's own client")]
    private partial void LogUnknown(int version, int knownVersion);
}

/// <summary>Jobs whose states nobody else changes before the end of the transaction.</summary>
/// <param name="Places">Where the locks are, to be given back.</param>
/// <param name="Busy">Jobs that are in somebody else's hands.</param>
/// <param name="States">By id: null for one that was never enqueued. What is neither here nor busy is gone.</param>
internal sealed record LockedJobs(string[] Places, IReadOnlySet<long> Busy, IReadOnlyDictionary<long, string?> States)
{
    public static readonly LockedJobs None = new([], new HashSet<long>(), new Dictionary<long, string?>());
}

/// <param name="Version">Of the schema.</param>
/// <param name="Servers">Instances whose workers have shown in the last 30 s that they are alive; they do so every 10 s.</param>
/// <param name="Waiting">Jobs in the queue that no worker has taken yet.</param>
/// <param name="OldestSeconds">How long the first one of them waits; null where none does.</param>
internal sealed record HangfireFigures(int Version, int Servers, int Waiting, double? OldestSeconds);

/// <param name="Id">The project's.</param>
/// <param name="Slug">The project's.</param>
/// <param name="State">Of its creation; null where it has none.</param>
/// <param name="JobState">Null where the job is gone.</param>
internal sealed record MissingCreation(Guid Id, string Slug, string? State, string? JobState);

/// <summary>Says at the start which way jobs are enqueued in bulk.</summary>
internal sealed class HangfireTablesCheck(HangfireTables tables, IServiceScopeFactory scopes) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await tables.AreKnownAsync(scope.ServiceProvider.GetRequiredService<DataServiceDbContext>(), cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
