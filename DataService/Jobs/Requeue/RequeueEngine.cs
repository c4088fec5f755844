using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Jobs.Requeue;

/// <summary>
/// Re-runs creations in bulk, a batch at a time. A part of a batch is one transaction: it locks the creations, as everybody does, and then the
/// jobs as Hangfire does, so that of many callers, workers and dashboards at once only one enqueues each. Whoever holds a lock is not waited for.
/// </summary>
[SuppressMessage("Security", "EF1002", Justification = "Only constants are put together; values are parameters.")]
internal sealed partial class RequeueEngine(
    DataServiceDbContext db, IServiceScopeFactory scopes, HangfireTables tables, OneByOneRequeue oneByOne, AuditTrail audit, Caller caller,
    CreationMetrics metrics, JobSignal signal, TimeProvider time, ILogger<RequeueEngine> logger)
{
    /// <summary>Creations in one batch.</summary>
    public const int MaxBatch = 5_000;

    private const int LeastStep = 200;

    /// <summary>PostgreSQL writes a transaction on one core; two of them are nearly twice as fast, and leave the others to everybody else.</summary>
    private const int MaxParts = 2;

    private const int LeastPart = 500;

    private const string MissingFrom = $"projects p LEFT JOIN repo_creations c ON c.project_id = p.id {HangfireTables.JoinJob} WHERE {HangfireTables.IsMissingToPerson}";

    /// <summary>
    /// Requeues the next creations that match and are at rest, those that have waited longest first. What a batch has requeued is changed
    /// after <see cref="RequeueBatch.Until"/>, so a run that hands it on comes to an end, however often a job fails meanwhile.
    /// </summary>
    /// <param name="filter">Which; without states, the failed ones. <see cref="CreationFilter.Until"/> is at most now, which is its default.</param>
    /// <param name="limit">From 1 to <see cref="MaxBatch"/>.</param>
    /// <param name="reason">A person's, for the jobs' history; null for none.</param>
    /// <param name="dryRun">Counts and changes nothing.</param>
    /// <param name="cancellationToken">Rolls back what is not committed.</param>
    /// <exception cref="NpgsqlException">The database failed, and went on failing. Each part of the batch is done, with its entry in the audit, or is not.</exception>
    public async Task<RequeueBatch> RequeueAsync(CreationFilter filter, int limit, string? reason, bool dryRun, CancellationToken cancellationToken)
    {
        var now = time.UtcNow;
        var until = filter.Until is { } bound && bound < now ? bound : now;
        filter = filter with { Until = until, States = filter.States is [] ? [RepoCreationState.Failed] : filter.States };
        var isKnown = await tables.AreKnownAsync(db, cancellationToken);
        if (!isKnown && !dryRun)
            return await RecordedAsync(await oneByOne.RequeueAsync(filter, limit, reason, cancellationToken), AuditAction.RequeueBulk, reason, filter.ToString(), cancellationToken);

        var sql = await FilterSql.PrepareAsync(db, filter, cancellationToken);
        var requeued = new List<RequeuedCreation>();
        var skipped = new Dictionary<string, int>();
        var remaining = 0;
        foreach (var branch in sql.Branches(CreationFilter.Requeueable))
        {
            remaining += dryRun
                ? await PreviewAsync(sql, branch, skipped, cancellationToken)
                : await FillAsync(sql, branch, limit, requeued, skipped, new(reason, filter.ToString(), now), cancellationToken);
        }

        foreach (var state in filter.States.Distinct().Except(CreationFilter.Requeueable).Where(_ => filter.Codes is []))
            Add(skipped, ReasonFor(state), await CountAsync(sql, sql.Branch(state), null, cancellationToken));
        var batch = new RequeueBatch(requeued, skipped, remaining, until, isKnown ? RequeueEngineKind.SetBased : RequeueEngineKind.PublicApi);
        if (batch.Requeued is not [])
            signal.Wake();
        if (!dryRun)
            Tell(batch, reason);
        return batch;
    }

    /// <summary>
    /// Enqueues a job for approved projects that have no repository and no live job: those that never had one, whose job is lost or was deleted,
    /// and those that are settled without a repository.
    /// </summary>
    /// <inheritdoc cref="RequeueAsync"/>
    public async Task<RequeueBatch> EnqueueMissingAsync(int limit, string? reason, bool dryRun, CancellationToken cancellationToken)
    {
        var now = time.UtcNow;
        var isKnown = await tables.AreKnownAsync(db, cancellationToken);
        if (!isKnown)
            return await RecordedAsync(await oneByOne.EnqueueMissingAsync(limit, dryRun, now, cancellationToken), AuditAction.EnqueueMissing, reason, null, cancellationToken);

        var batch = await db.InTransactionAsync(async token =>
        {
            var skipped = new Dictionary<string, int>();
            var (projects, locked) = dryRun ? ([], []) : await LockMissingAsync(limit, token);
            // What somebody else is at is counted below.
            var requeued = await EnqueueAsync(db, locked, [], reason, now, token);
            var end = projects.Length == limit ? projects[^1] : (Guid?)null;
            var counts = await db.Database.SqlQueryRaw<MissingCounts>(
                $"""
                 SELECT count(*) FILTER (WHERE p.id <= @end)::int AS passed, count(*) FILTER (WHERE p.id > @end)::int AS ahead FROM {MissingFrom}
                 """, new NpgsqlParameter("end", dryRun ? Guid.Empty : end ?? Guid.AllBitsSet)).SingleAsync(token);
            Add(skipped, SkipReason.BeingChanged, counts.Passed);
            if (requeued.Count > 0)
                audit.Record(db, AuditAction.EnqueueMissing, count: requeued.Count, reason: reason);
            return new RequeueBatch(requeued, skipped, counts.Ahead, now, RequeueEngineKind.SetBased);
        }, cancellationToken);
        if (batch.Requeued is not [])
            signal.Wake();
        if (!dryRun)
            Tell(batch, reason);
        return batch;
    }

    /// <summary>One by one there is no transaction around all: what was done is written down after it.</summary>
    private async Task<RequeueBatch> RecordedAsync(RequeueBatch batch, AuditAction action, string? reason, string? detail, CancellationToken cancellationToken)
    {
        if (batch.Requeued.Count > 0)
        {
            db.ChangeTracker.Clear();
            audit.Record(db, action, count: batch.Requeued.Count, reason: reason, detail: detail);
            await db.SaveChangesAsync(cancellationToken);
            metrics.Requeued(batch.Requeued.Count);
        }

        return batch;
    }

    private void Tell(RequeueBatch batch, string? reason)
    {
        LogRequeued(batch.Requeued.Count, batch.Matched, batch.Remaining, reason);
        metrics.Requeued(batch.Requeued.Count);
    }

    /// <summary>Goes through a branch until the batch is full.</summary>
    /// <returns>How many there are beyond that; some of them may turn out to be skipped.</returns>
    private async Task<int> FillAsync(
        FilterSql sql, FilterBranch branch, int limit, List<RequeuedCreation> requeued, Dictionary<string, int> skipped, Order order, CancellationToken cancellationToken)
    {
        Candidate? end = null;
        while (limit - requeued.Count is > 0 and var room)
        {
            // A last few that are wanted may stand behind many that are in somebody else's hands.
            var step = Math.Max(room, LeastStep);
            var candidates = await NextAsync(sql, branch, end, step, cancellationToken);
            if (candidates is [])
                return 0;
            var size = room < step ? step : Math.Max(LeastPart, (candidates.Count + MaxParts - 1) / MaxParts);
            var parts = await Task.WhenAll(candidates.Chunk(size).Select(part => RequeuePartAsync(sql, branch, part, room, order, cancellationToken)));
            foreach (var part in parts)
            {
                requeued.AddRange(part.Requeued);
                foreach (var (why, count) in part.Skipped)
                    Add(skipped, why, count);
            }

            end = parts[^1].End;
            if (candidates.Count < step && end == candidates[^1])
                return 0;
        }

        return await CountAsync(sql, branch, end, cancellationToken);
    }

    /// <summary>Requeues one part of a batch in a transaction of its own.</summary>
    /// <param name="sql">The filter.</param>
    /// <param name="branch">Of the filter.</param>
    /// <param name="candidates">In the order of time.</param>
    /// <param name="room">At most so many.</param>
    /// <param name="order">What is to be written down.</param>
    /// <param name="cancellationToken">Rolls the part back.</param>
    private async Task<Part> RequeuePartAsync(FilterSql sql, FilterBranch branch, Candidate[] candidates, int room, Order order, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var own = scope.ServiceProvider.GetRequiredService<DataServiceDbContext>();
        return await own.InTransactionAsync(async token =>
        {
            var skipped = new Dictionary<string, int>();
            await LookUpByKeysAsync(own, token);
            var locked = await LockAsync(own, sql, branch, candidates, token);
            var (wanted, end) = Choose(candidates, locked, room, skipped);
            var requeued = await EnqueueAsync(own, wanted, skipped, order.Reason, order.Now, token);
            if (requeued is not [])
                audit.Record(own, AuditAction.RequeueBulk, count: requeued.Count, reason: order.Reason, detail: order.Filter);
            return new Part(requeued, skipped, end);
        }, cancellationToken);
    }

    /// <summary>
    /// Until the end of the transaction each row is found by its key. For a few thousand the planner would rather read all creations and all
    /// jobs, of some hundred thousand: a third of a batch's time.
    /// </summary>
    private static Task<int> LookUpByKeysAsync(DataServiceDbContext db, CancellationToken cancellationToken) => db.Database.ExecuteSqlRawAsync(
        "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off", cancellationToken);

    /// <summary>The next creations of a branch, in the order of time. The index alone tells.</summary>
    private async Task<List<Candidate>> NextAsync(FilterSql sql, FilterBranch branch, Candidate? after, int limit, CancellationToken cancellationToken)
    {
        var next = (await db.Database.SqlQueryRaw<CandidateArrays>(
            $"""
             SELECT coalesce(array_agg(project_id), ARRAY[]::uuid[]) AS projects, coalesce(array_agg(updated_at), ARRAY[]::timestamptz[]) AS times
             FROM (
                 SELECT c.project_id, c.updated_at FROM {FilterBranch.From} WHERE {branch.Condition} {(after is null ? "" : "AND (c.updated_at, c.project_id) > (@at, @id)")}
                 ORDER BY c.updated_at, c.project_id LIMIT {limit.ToString(CultureInfo.InvariantCulture)}) next
             """, [.. sql.Parameters(Place(after))]).ToListAsync(cancellationToken))[0];
        return [.. next.Projects.Zip(next.Times, (id, at) => new Candidate(id, at))];
    }

    /// <summary>Locks those of the candidates that nobody else has, and that match still. Whoever reads a creation to change it has locked it.</summary>
    private static async Task<List<Locked>> LockAsync(DataServiceDbContext db, FilterSql sql, FilterBranch branch, Candidate[] candidates, CancellationToken cancellationToken)
    {
        var locked = (await db.Database.SqlQueryRaw<LockedArrays>(
            $"""
             SELECT coalesce(array_agg(project_id), ARRAY[]::uuid[]) AS projects, coalesce(array_agg(state), ARRAY[]::text[]) AS states,
                 coalesce(array_agg(is_approved), ARRAY[]::boolean[]) AS approved, coalesce(array_agg(has_repository), ARRAY[]::boolean[]) AS with_repository,
                 coalesce(array_agg(job_id), ARRAY[]::bigint[]) AS jobs
             FROM (
                 SELECT c.project_id, c.state, p.approved_at IS NOT NULL AS is_approved, p.github_repo IS NOT NULL AS has_repository, c.job_id::bigint AS job_id
                 FROM {FilterBranch.From} JOIN projects p ON p.id = c.project_id
                 WHERE c.project_id = ANY(@candidates) AND {branch.Condition}
                 FOR UPDATE OF c SKIP LOCKED) locked
             """, [.. sql.Parameters([("candidates", Array.ConvertAll(candidates, candidate => candidate.ProjectId))])]).ToListAsync(cancellationToken))[0];
        return [.. locked.Projects.Select((id, i) => new Locked(id, locked.States[i], locked.Approved[i], locked.WithRepository[i], locked.Jobs[i]))];
    }

    /// <summary>
    /// Locks the next projects and their creations, and then looks again in a statement of its own: one that locks shows what stood there
    /// before it waited.
    /// </summary>
    private async Task<(Guid[] Projects, List<Locked> Locked)> LockMissingAsync(int limit, CancellationToken cancellationToken)
    {
        var projects = await db.Database.SqlQueryRaw<Guid>(
            $"""SELECT p.id AS "Value" FROM {MissingFrom} ORDER BY p.id LIMIT {limit.ToString(CultureInfo.InvariantCulture)} FOR UPDATE OF p SKIP LOCKED""").ToArrayAsync(cancellationToken);
        var creations = await db.Database.SqlQueryRaw<Guid>(
            """SELECT project_id AS "Value" FROM repo_creations WHERE project_id = ANY(@projects) FOR UPDATE SKIP LOCKED""",
            new NpgsqlParameter("projects", projects)).ToArrayAsync(cancellationToken);
        var locked = await db.Database.SqlQueryRaw<Locked>(
            $"""
             SELECT p.id AS project_id, c.state, true AS is_approved, false AS has_repository, c.job_id::bigint AS job_id
             FROM {MissingFrom} AND p.id = ANY(@projects) AND (c.project_id IS NULL OR c.project_id = ANY(@creations)) ORDER BY p.id
             """, new NpgsqlParameter("projects", projects), new NpgsqlParameter("creations", creations)).ToListAsync(cancellationToken);
        return (projects, locked);
    }

    /// <summary>Takes from the candidates, in their order, those that are to be requeued, and counts why others are not.</summary>
    /// <returns>Those, and the last candidate that was looked at.</returns>
    private static (List<Locked> Wanted, Candidate End) Choose(Candidate[] candidates, List<Locked> locked, int room, Dictionary<string, int> skipped)
    {
        var byProject = locked.ToDictionary(creation => creation.ProjectId);
        var wanted = new List<Locked>();
        foreach (var candidate in candidates)
        {
            if (!byProject.TryGetValue(candidate.ProjectId, out var creation))
                Add(skipped, SkipReason.BeingChanged, 1);
            else if (creation.FindObstacle() is { } obstacle)
                Add(skipped, obstacle, 1);
            else
                wanted.Add(creation);
            if (wanted.Count == room)
                return (wanted, candidate);
        }

        return (wanted, candidates[^1]);
    }

    /// <summary>Enqueues stored jobs again where they are there to be had, and adds new ones where not.</summary>
    private async Task<IReadOnlyList<RequeuedCreation>> EnqueueAsync(
        DataServiceDbContext own, List<Locked> wanted, Dictionary<string, int> skipped, string? reason, DateTime now, CancellationToken cancellationToken)
    {
        var stored = wanted.Select(creation => creation.JobId).OfType<long>().ToArray();
        var jobs = stored is [] ? LockedJobs.None : await HangfireTables.LockAsync(own, stored, now, cancellationToken);
        var again = new List<(long Id, string State)>();
        var enqueued = new List<(Guid ProjectId, long JobId)>();
        var without = new List<Guid>();
        foreach (var creation in wanted)
        {
            var state = creation.JobId is { } id ? jobs.States.GetValueOrDefault(id) : null;
            if (creation.JobId is { } busy && jobs.Busy.Contains(busy))
            {
                Add(skipped, SkipReason.BeingChanged, 1);
            }
            else if (RepoCreationQueue.IsAlive(state) && !(state == ScheduledState.StateName && creation.MayRunEarlier))
            {
                Add(skipped, SkipReason.JobIsAtIt, 1);
            }
            else if (IsStored(state))
            {
                again.Add((creation.JobId!.Value, state!));
                enqueued.Add((creation.ProjectId, creation.JobId.Value));
            }
            else
            {
                without.Add(creation.ProjectId);
            }
        }

        await HangfireTables.RequeueAsync(own, again, reason, now, cancellationToken);
        var added = await HangfireTables.AddAsync(own, without, reason, now, cancellationToken);
        enqueued.AddRange(added.Select(job => (job.Key, job.Value)));
        await SaveAsync(own, enqueued, [.. wanted.Where(creation => creation.State is null).Select(creation => creation.ProjectId)], reason, now, cancellationToken);
        if (jobs.Places is not [])
            await HangfireTables.UnlockAsync(own, jobs, cancellationToken);
        return [.. enqueued.Select(creation => new RequeuedCreation(creation.ProjectId, creation.JobId.ToString(CultureInfo.InvariantCulture)))];
    }

    /// <summary>What <see cref="RepoCreation.Enqueue"/> makes of a row, for many at once: the one exception to the rule that entities change themselves.</summary>
    private async Task SaveAsync(DataServiceDbContext own, List<(Guid ProjectId, long JobId)> enqueued, Guid[] untracked, string? reason, DateTime now, CancellationToken cancellationToken)
    {
        if (enqueued is [])
            return;
        if (untracked is not [])
        {
            await own.Database.ExecuteSqlAsync(
                $"INSERT INTO repo_creations (project_id, state, attempts, retries, run, updated_at) SELECT id, 'failed', 0, 0, 0, {now} FROM unnest({untracked}) AS t(id)", cancellationToken);
        }

        await own.Database.ExecuteSqlRawAsync(
            """
            UPDATE repo_creations c SET
                state = 'queued', job_id = t.job_id::text, retries = 0, error_code = NULL, github_status = NULL, github_error = NULL,
                next_attempt_at = NULL, waits_for = NULL, turn_at = NULL, attempt_started_at = NULL, noted_wait = NULL, updated_at = @now
            FROM unnest(@projects, @jobs) AS t(project_id, job_id) WHERE c.project_id = t.project_id;
            INSERT INTO creation_events (project_id, at, kind, text, job_id)
            SELECT project_id, @now, 'enqueued', @told, job_id::text FROM unnest(@projects, @jobs) AS t(project_id, job_id);
            """,
            [
                new NpgsqlParameter("projects", enqueued.Select(creation => creation.ProjectId).ToArray()),
                new NpgsqlParameter("jobs", enqueued.Select(creation => creation.JobId).ToArray()), new NpgsqlParameter("now", now),
                new NpgsqlParameter("told", $"Enqueued with others by {caller.Actor}.{(reason is null ? "" : $" {reason}")}"),
            ], cancellationToken);
    }

    /// <summary>Counts what a batch would skip, and returns how many it could requeue.</summary>
    private async Task<int> PreviewAsync(FilterSql sql, FilterBranch branch, Dictionary<string, int> skipped, CancellationToken cancellationToken)
    {
        var counts = await db.Database.SqlQueryRaw<ReasonCount>(
            $"""
             SELECT CASE WHEN p.github_repo IS NOT NULL THEN '{SkipReason.HasRepository}'
                         WHEN p.approved_at IS NULL THEN '{SkipReason.NotApproved}'
                         WHEN {HangfireTables.JobIsBusy} THEN '{SkipReason.JobIsAtIt}' END AS reason, count(*)::int AS count
             FROM {FilterBranch.From} JOIN projects p ON p.id = c.project_id {HangfireTables.JoinJob}
             WHERE {branch.Condition}
             GROUP BY 1
             """, [.. sql.Parameters()]).ToListAsync(cancellationToken);
        foreach (var count in counts.Where(count => count.Reason is not null))
            Add(skipped, count.Reason!, count.Count);
        return counts.Where(count => count.Reason is null).Sum(count => count.Count);
    }

    /// <summary>How many match beyond a place. The index alone tells.</summary>
    private Task<int> CountAsync(FilterSql sql, FilterBranch branch, Candidate? after, CancellationToken cancellationToken) => db.Database.SqlQueryRaw<int>(
        $"""
         SELECT count(*)::int AS "Value" FROM {FilterBranch.From} WHERE {branch.Condition} {(after is null ? "" : "AND (c.updated_at, c.project_id) > (@at, @id)")}
         """, [.. sql.Parameters(Place(after))]).SingleAsync(cancellationToken);

    internal static string ReasonFor(RepoCreationState state) => state switch
    {
        RepoCreationState.Created => SkipReason.IsCreated,
        RepoCreationState.Skipped => SkipReason.IsSettled,
        _ => SkipReason.JobIsAtIt,
    };

    private static bool IsStored(string? jobState) => jobState == FailedState.StateName || jobState == DeletedState.StateName || jobState == ScheduledState.StateName;

    private static IEnumerable<(string, object)> Place(Candidate? place) => place is null ? [] : [("at", place.UpdatedAt), ("id", place.ProjectId)];

    private static void Add(Dictionary<string, int> counts, string reason, int count)
    {
        if (count > 0)
            counts[reason] = counts.GetValueOrDefault(reason) + count;
    }

    private sealed record Candidate(Guid ProjectId, DateTime UpdatedAt);

    /// <summary>Candidates, column by column. Arrays are read many times as fast as rows.</summary>
    private sealed record CandidateArrays(Guid[] Projects, DateTime[] Times);

    /// <summary><see cref="Locked"/>, column by column.</summary>
    private sealed record LockedArrays(Guid[] Projects, string[] States, bool[] Approved, bool[] WithRepository, long?[] Jobs);

    /// <param name="Reason">A person's.</param>
    /// <param name="Filter">For people.</param>
    /// <param name="Now">UTC.</param>
    private sealed record Order(string? Reason, string Filter, DateTime Now);

    /// <param name="Requeued">With their jobs.</param>
    /// <param name="Skipped">How many, by the reason.</param>
    /// <param name="End">The last candidate that was looked at.</param>
    private sealed record Part(IReadOnlyList<RequeuedCreation> Requeued, Dictionary<string, int> Skipped, Candidate End);

    /// <param name="ProjectId">Whose creation it is.</param>
    /// <param name="State">Null where there is no creation yet.</param>
    /// <param name="IsApproved">The project.</param>
    /// <param name="HasRepository">The project.</param>
    /// <param name="JobId">Its last job's, which may be gone.</param>
    private sealed record Locked(Guid ProjectId, string? State, bool IsApproved, bool HasRepository, long? JobId)
    {
        /// <summary>A job that waits for the time of a retry may run at once, and one of a settled creation has nothing else to do.</summary>
        public bool MayRunEarlier => State is "retrying" or "created" or "skipped";

        /// <returns>Null where nothing is in the way, unless the job is.</returns>
        public string? FindObstacle() => HasRepository ? SkipReason.HasRepository : !IsApproved ? SkipReason.NotApproved : null;
    }

    private sealed record ReasonCount(string? Reason, int Count);

    private sealed record MissingCounts(int Passed, int Ahead);

    [LoggerMessage(Level = LogLevel.Information, Message = "Requeued {Requeued} of {Matched} creations that match, {Remaining} remain. Reason: {Reason}")]
    private partial void LogRequeued(int requeued, int matched, int remaining, string? reason);
}
