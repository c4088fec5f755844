using System.Diagnostics.CodeAnalysis;
using DataService.Data;
using DataService.Domain;
using Hangfire;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs.Requeue;

/// <summary>
/// The same through Hangfire's own client, for a Hangfire whose tables are not known: some hundred times slower, and with a new job in the
/// place of each old one.
/// </summary>
[SuppressMessage("Security", "EF1002", Justification = "Only constants are put together; values are parameters.")]
internal sealed partial class OneByOneRequeue(
    DataServiceDbContext db, JobTransaction transaction, RepoCreationQueue queue, JobStorage storage, ILogger<OneByOneRequeue> logger)
{
    /// <summary>Creations in one batch: a request should not take much longer than a second.</summary>
    public const int MaxBatch = 200;

    private const int PageSize = 1_000;

    /// <param name="filter">With its states and its end in time.</param>
    /// <param name="limit">At most so many; see <see cref="MaxBatch"/>.</param>
    /// <param name="reason">For the log: Hangfire's client tells the history none.</param>
    /// <param name="cancellationToken">Stops behind the one that is at hand; those before it stay requeued.</param>
    public async Task<RequeueBatch> RequeueAsync(CreationFilter filter, int limit, string? reason, CancellationToken cancellationToken)
    {
        limit = Math.Min(limit, MaxBatch);
        var sql = await FilterSql.PrepareAsync(db, filter, cancellationToken);
        var tally = new Tally();
        foreach (var branch in sql.Branches(CreationFilter.Requeueable))
        {
            var (at, id) = (DateTime.UnixEpoch, Guid.Empty);
            List<Candidate> page;
            do
            {
                page = await db.Database.SqlQueryRaw<Candidate>(
                    $"""
                     SELECT c.project_id, c.updated_at FROM {FilterBranch.From} WHERE {branch.Condition} AND (c.updated_at, c.project_id) > (@at, @id)
                     ORDER BY c.updated_at, c.project_id LIMIT {PageSize}
                     """, [.. sql.Parameters([("at", at), ("id", id)])]).ToListAsync(cancellationToken);
                foreach (var candidate in page)
                {
                    if (tally.Requeued.Count == limit)
                        tally.Remaining++;
                    else
                        tally.Add(candidate.ProjectId, await RequeueAsync(candidate, cancellationToken));
                    (at, id) = (candidate.UpdatedAt, candidate.ProjectId);
                }
            }
            while (page.Count == PageSize);
        }

        foreach (var state in filter.States.Distinct().Except(CreationFilter.Requeueable).Where(_ => filter.Codes is []))
        {
            var branch = sql.Branch(state);
            tally.Skip(RequeueEngine.ReasonFor(state), await db.Database.SqlQueryRaw<int>(
                $"""SELECT count(*)::int AS "Value" FROM {FilterBranch.From} WHERE {branch.Condition}""", [.. sql.Parameters()]).SingleAsync(cancellationToken));
        }

        LogRequeued(tally.Requeued.Count, reason);
        return tally.ToBatch(filter.Until!.Value);
    }

    public async Task<RequeueBatch> EnqueueMissingAsync(int limit, bool dryRun, DateTime now, CancellationToken cancellationToken)
    {
        limit = Math.Min(limit, MaxBatch);
        var tally = new Tally();
        foreach (var missing in await FindMissingAsync(toPerson: true, cancellationToken))
        {
            if (dryRun || tally.Requeued.Count == limit)
            {
                tally.Remaining++;
                continue;
            }

            tally.Add(missing.Id, await transaction.ExecuteAsync<Outcome>(async (jobs, token) =>
            {
                if (await db.LockProjectAsync(missing.Id, token) is not { ApprovedAt: not null, GithubRepo: null } project)
                    return new(null, SkipReason.BeingChanged);
                var before = project.RepoCreation?.JobId;
                queue.EnsureEnqueued(project, jobs);
                return project.RepoCreation!.JobId is { } jobId && jobId != before ? new(jobId, "") : new(null, SkipReason.JobIsAtIt);
            }, cancellationToken));
        }

        return tally.ToBatch(now);
    }

    /// <summary>As <see cref="HangfireTables.FindMissingAsync"/>, with a question to Hangfire for each that has a job.</summary>
    /// <param name="toPerson">Also those that are settled without a repository.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    public async Task<List<MissingCreation>> FindMissingAsync(bool toPerson, CancellationToken cancellationToken)
    {
        var candidates = await db.Projects.AsNoTracking().Where(p => p.ApprovedAt != null && p.GithubRepo == null).OrderBy(p => p.Id)
            .Where(p => p.RepoCreation == null || p.RepoCreation.State != RepoCreationState.Failed || p.RepoCreation.ErrorCode == null)
            .Where(p => toPerson || p.RepoCreation == null || (p.RepoCreation.State != RepoCreationState.Created && p.RepoCreation.State != RepoCreationState.Skipped))
            .Select(p => new { p.Id, p.Slug, State = p.RepoCreation == null ? (RepoCreationState?)null : p.RepoCreation.State, JobId = p.RepoCreation == null ? null : p.RepoCreation.JobId })
            .ToListAsync(cancellationToken);
        using var connection = storage.GetConnection();
        return
        [
            .. candidates.Select(c => new MissingCreation(
                    c.Id, c.Slug, c.State is { } state ? FilterSql.Word(state) : null, c.JobId is { } jobId ? connection.GetStateData(jobId)?.Name : null))
                .Where(missing => !RepoCreationQueue.IsAlive(missing.JobState)
                    || (missing.State is "created" or "skipped" && missing.JobState == ScheduledState.StateName)),
        ];
    }

    private Task<Outcome> RequeueAsync(Candidate candidate, CancellationToken cancellationToken) => transaction.ExecuteAsync<Outcome>(async (jobs, token) =>
    {
        // What was changed meanwhile need not match any more.
        if (await db.LockProjectAsync(candidate.ProjectId, token) is not { RepoCreation: { } creation } project || creation.UpdatedAt != candidate.UpdatedAt)
            return new(null, SkipReason.BeingChanged);
        if (project.GithubRepo is not null)
            return new(null, SkipReason.HasRepository);
        if (project.ApprovedAt is null)
            return new(null, SkipReason.NotApproved);
        var jobState = creation.JobId is { } jobId ? jobs.StateOf(jobId) : null;
        if (RepoCreationQueue.IsAlive(jobState) && !(jobState == ScheduledState.StateName && creation.State is RepoCreationState.Retrying))
            return new(null, SkipReason.JobIsAtIt);
        return new(queue.Requeue(project, jobs).JobId, "");
    }, cancellationToken);

    private sealed record Candidate(Guid ProjectId, DateTime UpdatedAt);

    /// <param name="JobId">Null where it was skipped.</param>
    /// <param name="Reason">Why.</param>
    private sealed record Outcome(string? JobId, string Reason);

    private sealed class Tally
    {
        private readonly Dictionary<string, int> _skipped = [];

        public List<RequeuedCreation> Requeued { get; } = [];

        public int Remaining { get; set; }

        public void Add(Guid projectId, Outcome outcome)
        {
            if (outcome.JobId is { } jobId)
                Requeued.Add(new RequeuedCreation(projectId, jobId));
            else
                Skip(outcome.Reason, 1);
        }

        public void Skip(string reason, int count)
        {
            if (count > 0)
                _skipped[reason] = _skipped.GetValueOrDefault(reason) + count;
        }

        public RequeueBatch ToBatch(DateTime until) => new(Requeued, _skipped, Remaining, until, RequeueEngineKind.PublicApi);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Requeued {Requeued} creations one by one. Reason: {Reason}")]
    private partial void LogRequeued(int requeued, string? reason);
}
