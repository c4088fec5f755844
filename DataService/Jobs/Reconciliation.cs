using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using DataService.Jobs.Requeue;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <summary>What a round of the reconciliation may do about what it finds.</summary>
internal enum ReconciliationMode
{
    /// <summary>Report it.</summary>
    Report,

    /// <summary>Report it when it is seen for the first time; mend it when it is still so in a later round.</summary>
    Repair,

    /// <summary>Mend it at once: a person has seen the report.</summary>
    RepairAtOnce,
}

/// <param name="Kind">What is wrong.</param>
/// <param name="Subject">The project's slug, or an orphan's full name.</param>
/// <param name="Detail">For people.</param>
/// <param name="FirstSeenAt">UTC.</param>
/// <param name="Action">What was done about it in this round; null for nothing.</param>
internal sealed record ReportedFinding(FindingKind Kind, string Subject, string Detail, DateTime FirstSeenAt, string? Action);

/// <param name="At">UTC.</param>
/// <param name="Mode">What the round was allowed to do.</param>
/// <param name="Found">How many differences there are.</param>
/// <param name="Mended">How many of them were mended in this round.</param>
/// <param name="GithubError">Why GitHub could not be compared with; null where it was.</param>
/// <param name="Findings">The first hundred.</param>
internal sealed record ReconciliationReport(DateTime At, string Mode, int Found, int Mended, string? GithubError, IReadOnlyList<ReportedFinding> Findings);

/// <summary>
/// Compares the projects with their jobs and with GitHub, for what no single job can notice: a job that was deleted or lost with a
/// restored database, a repository that was renamed, deleted or never linked.
/// </summary>
internal sealed partial class Reconciliation(
    DataServiceDbContext db, RepositoryCatalog catalog, JobTransaction transaction, RepoCreationQueue queue, HangfireTables tables, OneByOneRequeue oneByOne,
    TimeProvider time, ILogger<Reconciliation> logger)
{
    private const int BatchSize = 1_000;
    private const int MostReported = 100;

    /// <summary>Calls to GitHub in one round, for repositories that its list does not show.</summary>
    private const int MostLookedUp = 100;

    /// <summary>Any number will do that no other lock of the service has.</summary>
    private const long LockKey = 0x_52_65_63_6f_6e_63;

    private static readonly TimeSpan Retention = TimeSpan.FromDays(90);

    /// <summary>One round. Several at once are harmless: what one has mended, the other finds mended.</summary>
    /// <exception cref="Npgsql.NpgsqlException">The database failed.</exception>
    public async Task<ReconciliationReport> RunAsync(ReconciliationMode mode, CancellationToken cancellationToken)
    {
        var now = time.UtcNow;
        var seen = await FindMissingAsync(cancellationToken);
        string? githubError = null;
        IReadOnlySet<Guid>? leftOut = null;
        try
        {
            (var differing, leftOut) = await CompareWithGitHubAsync(mode, cancellationToken);
            seen.AddRange(differing);
        }
        catch (FailureException exception)
        {
            githubError = $"{exception.Failure.Kind.Code}: {exception.Failure.Text}";
            LogNotCompared(githubError);
        }

        var known = await RecordAsync(seen, leftOut, now, cancellationToken);
        var reported = new List<ReportedFinding>();
        var mended = 0;
        foreach (var observation in seen)
        {
            var firstSeenAt = known.GetValueOrDefault((observation.Kind, observation.Subject), now);
            var isDue = mode is ReconciliationMode.RepairAtOnce || (mode is ReconciliationMode.Repair && firstSeenAt < now);
            var action = isDue && observation.Mend is { } mend ? await mend(cancellationToken) : null;
            if (action is not null)
            {
                await SettleAsync(observation, action, cancellationToken);
                LogMended(observation.Kind, observation.Subject, action);
                mended++;
            }

            if (reported.Count < MostReported)
                reported.Add(new ReportedFinding(observation.Kind, observation.Subject, observation.Detail, firstSeenAt, action));
        }

        // The list of all repositories is of no use to anybody any more.
        catalog.Invalidate();
        LogRound(mode, seen.Count, mended);
        return new ReconciliationReport(now, mode.ToString(), seen.Count, mended, githubError, reported);
    }

    /// <summary>
    /// Approved projects with no repository, for which no job is going on and nobody has been told a reason: a classified failure waits
    /// for a person, and so does a choice that was taken back.
    /// </summary>
    private async Task<List<Observation>> FindMissingAsync(CancellationToken cancellationToken)
    {
        var missing = await tables.AreKnownAsync(db, cancellationToken)
            ? await HangfireTables.FindMissingAsync(db, cancellationToken)
            : await oneByOne.FindMissingAsync(toPerson: false, cancellationToken);
        return
        [
            .. missing.Select(row => new Observation(
                FindingKind.Missing, row.Slug, row.Id,
                $"Approved, without a repository, and no job is at it: the creation is {row.State ?? "unknown"}, its job {row.JobState?.ToLowerInvariant() ?? "gone"}.",
                token => EnqueueAsync(row.Id, token))),
        ];
    }

    /// <returns>What differs, and the projects that were left out because there were too many to look up.</returns>
    private async Task<(List<Observation> Differing, IReadOnlySet<Guid> LeftOut)> CompareWithGitHubAsync(ReconciliationMode mode, CancellationToken cancellationToken)
    {
        catalog.Invalidate();
        // A list that grows while its pages are read may show one twice.
        var repositories = (await catalog.ListAsync(cancellationToken)).DistinctBy(repository => repository.Id).ToList();
        var byId = repositories.ToDictionary(repository => repository.Id);
        var byName = repositories.DistinctBy(repository => repository.FullName, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(repository => repository.FullName, StringComparer.OrdinalIgnoreCase);
        var unlinked = repositories.Where(repository => repository.ProjectId is not null && catalog.IsInOrganization(repository.FullName)).ToDictionary(repository => repository.Id);
        var seen = new List<Observation>();
        var unlisted = new List<LinkedProject>();
        await foreach (var project in LinkedAsync(cancellationToken))
        {
            var listed = project.RepositoryId is { } number ? byId.GetValueOrDefault(number) : byName.GetValueOrDefault(project.Repository);
            if (listed is not null)
                await CompareAsync(project, listed.Id, listed.FullName);
            // Of others' repositories nothing is known but that the admin chose them.
            else if (project.RepositoryId is not null || catalog.IsInOrganization(project.Repository))
                unlisted.Add(project);
        }

        // Not every repository that the token may read is in its list.
        if (unlisted.Count > MostLookedUp)
            unlisted = await DrawAsync(unlisted, cancellationToken);
        foreach (var project in unlisted.Take(MostLookedUp))
        {
            var found = project.RepositoryId is { } id
                ? await catalog.FindAsync(id, cancellationToken)
                : await catalog.FindByNameAsync(project.Repository, cancellationToken);
            if (found is null)
                seen.Add(Vanished(project));
            else
                await CompareAsync(project, found.Id, found.FullName);
        }

        seen.AddRange(await OrphansAsync(unlinked.Values, cancellationToken));
        return (seen, unlisted.Skip(MostLookedUp).Select(project => project.Id).ToHashSet());

        async Task CompareAsync(LinkedProject project, long id, string fullName)
        {
            unlinked.Remove(id);
            if (!fullName.Equals(project.Repository, StringComparison.OrdinalIgnoreCase) || (project.RepositoryId is not null && fullName != project.Repository))
                seen.Add(Renamed(project, id, fullName));
            else if (project.RepositoryId is null && mode is not ReconciliationMode.Report)
                await FollowAsync(project, id, fullName, cancellationToken);
        }
    }

    /// <summary>Where there are too many for one round: first some that have a finding, which may be over; and chance comes to all others.</summary>
    private async Task<List<LinkedProject>> DrawAsync(List<LinkedProject> unlisted, CancellationToken cancellationToken)
    {
        var found = await db.Findings.AsNoTracking().Where(finding => finding.SettledAt == null && finding.ProjectId != null)
            .Select(finding => finding.ProjectId!.Value).ToHashSetAsync(cancellationToken);
        var drawn = unlisted.ToArray();
        Random.Shared.Shuffle(drawn);
        var first = drawn.Where(project => found.Contains(project.Id)).Take(MostLookedUp / 2).ToArray();
        return [.. first, .. drawn.Except(first)];
    }

    /// <summary>In the order of their ids, a batch at a time.</summary>
    private async IAsyncEnumerable<LinkedProject> LinkedAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = Guid.Empty;
        while (true)
        {
            var batch = await db.Projects.AsNoTracking().Where(p => p.GithubRepo != null && p.Id > last).OrderBy(p => p.Id).Take(BatchSize)
                .Select(p => new LinkedProject(p.Id, p.Slug, p.GithubRepo!, p.GithubRepoId)).ToListAsync(cancellationToken);
            foreach (var project in batch)
                yield return project;
            if (batch.Count < BatchSize)
                yield break;
            last = batch[^1].Id;
        }
    }

    /// <summary>A creation that is under way has its repository before the link.</summary>
    private async Task<List<Observation>> OrphansAsync(IEnumerable<GitHubRepository> unlinked, CancellationToken cancellationToken)
    {
        var orphans = new List<Observation>();
        foreach (var batch in unlinked.Chunk(BatchSize))
        {
            var ids = batch.Select(repository => repository.ProjectId!.Value).ToArray();
            var projects = await db.Projects.AsNoTracking().Where(p => ids.Contains(p.Id))
                .Select(p => new { p.Id, p.Slug, p.GithubRepo, State = p.RepoCreation == null ? (RepoCreationState?)null : p.RepoCreation.State })
                .ToDictionaryAsync(p => p.Id, cancellationToken);
            foreach (var repository in batch)
            {
                var project = projects.GetValueOrDefault(repository.ProjectId!.Value);
                if (project is { GithubRepo: null, State: RepoCreationState.Queued or RepoCreationState.Creating or RepoCreationState.Retrying })
                    continue;
                // Linked since the list was read.
                if (repository.FullName.Equals(project?.GithubRepo, StringComparison.OrdinalIgnoreCase))
                    continue;
                var owner = project is null ? "a project that is gone" : $"{project.Slug}, which is linked to {project.GithubRepo ?? "nothing"}";
                orphans.Add(new Observation(FindingKind.Orphan, repository.FullName, project?.Id, $"Made for {owner}. Link it, or delete it on GitHub.", null));
            }
        }

        return orphans;
    }

    private Observation Renamed(LinkedProject project, long id, string fullName) => new(
        FindingKind.Renamed, project.Slug, project.Id, $"{project.Repository} is called {fullName} now.", async token =>
        {
            await FollowAsync(project, id, fullName, token);
            return $"Linked as {fullName}.";
        });

    private static Observation Vanished(LinkedProject project) => new(
        FindingKind.Vanished, project.Slug, project.Id, $"{project.Repository} is gone from GitHub, or hidden from the token. Restore it, or link another one.", null);

    private async Task FollowAsync(LinkedProject project, long id, string fullName, CancellationToken cancellationToken) => await db.InTransactionAsync(async token =>
    {
        var current = await db.LockProjectAsync(project.Id, token);
        if (current?.GithubRepo == project.Repository && current.GithubRepoId == project.RepositoryId)
        {
            current.FollowRepository(id, project.Repository, fullName);
            if (fullName != project.Repository)
                await db.MoveIssuesAsync(project.Id, project.Repository, fullName, token);
        }

        return current;
    }, cancellationToken);

    private Task<string?> EnqueueAsync(Guid projectId, CancellationToken cancellationToken) => transaction.ExecuteAsync<string?>(
        async (jobs, token) =>
        {
            if (await db.LockProjectAsync(projectId, token) is not { ApprovedAt: not null } project)
                return null;
            // It may have failed for a known reason, or be settled, or have a job, since it was found.
            if (project.RepoCreation is { State: RepoCreationState.Created or RepoCreationState.Skipped } or { State: RepoCreationState.Failed, ErrorCode: not null }
                || (project.RepoCreation?.JobId is { } job && RepoCreationQueue.IsAlive(jobs.StateOf(job))))
            {
                return null;
            }

            var before = project.RepoCreation?.JobId;
            queue.EnsureEnqueued(project, jobs, "The reconciliation found it without a job. Waits for a worker.");
            return project.RepoCreation is { IsLive: true, JobId: { } jobId } && jobId != before ? $"Enqueued as job {jobId}." : null;
        }, cancellationToken);

    /// <summary>Saves what was seen, and closes what is no longer so.</summary>
    /// <param name="seen">In this round.</param>
    /// <param name="leftOut">Projects that were not compared with GitHub; null where none was.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cancellationToken">Rolls it back.</param>
    /// <returns>When each was seen for the first time.</returns>
    private Task<Dictionary<(FindingKind Kind, string Subject), DateTime>> RecordAsync(
        List<Observation> seen, IReadOnlySet<Guid>? leftOut, DateTime now, CancellationToken cancellationToken) => db.InTransactionAsync(async token =>
    {
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({LockKey})", token);
        await db.Findings.Where(finding => finding.SettledAt < now - Retention).ExecuteDeleteAsync(token);
        var open = await db.Findings.AsTracking().Where(finding => finding.SettledAt == null).ToDictionaryAsync(finding => (finding.Kind, finding.Subject), token);
        foreach (var observation in seen)
        {
            if (open.Remove((observation.Kind, observation.Subject), out var finding))
            {
                finding.SeeAgain(observation.Detail, now);
            }
            else
            {
                db.Findings.Add(new Finding(observation.Kind, observation.Subject, observation.ProjectId, observation.Detail, now));
                LogFound(observation.Kind, observation.Subject, observation.Detail);
            }
        }

        foreach (var gone in open.Values.Where(IsOver))
            gone.Settle("It is no longer so.", now);
        return db.Findings.Local.Where(finding => finding.SettledAt is null).ToDictionary(finding => (finding.Kind, finding.Subject), finding => finding.FirstSeenAt);

        // Only what was looked at tells that it is over.
        bool IsOver(Finding unseen) => unseen.Kind switch
        {
            FindingKind.Missing => true,
            FindingKind.Orphan => leftOut is not null,
            _ => leftOut is not null && !(unseen.ProjectId is { } id && leftOut.Contains(id)),
        };
    }, cancellationToken);

    private Task<int> SettleAsync(Observation observation, string action, CancellationToken cancellationToken)
    {
        var now = time.UtcNow;
        return db.Findings.Where(finding => finding.SettledAt == null && finding.Kind == observation.Kind && finding.Subject == observation.Subject)
            .ExecuteUpdateAsync(finding => finding.SetProperty(f => f.Action, action).SetProperty(f => f.SettledAt, now), cancellationToken);
    }

    /// <param name="Kind">What is wrong.</param>
    /// <param name="Subject">See <see cref="Finding.Subject"/>.</param>
    /// <param name="ProjectId">Null where the project is gone.</param>
    /// <param name="Detail">For people.</param>
    /// <param name="Mend">Puts it right and says how; null where a person has to. It returns null where there was nothing left to do.</param>
    private sealed record Observation(FindingKind Kind, string Subject, Guid? ProjectId, string Detail, Func<CancellationToken, Task<string?>>? Mend);

    private sealed record LinkedProject(Guid Id, string Slug, string Repository, long? RepositoryId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Reconciliation found {Kind} {Subject}: {Detail}")]
    private partial void LogFound(FindingKind kind, string subject, string detail);

    [LoggerMessage(Level = LogLevel.Information, Message = "Reconciliation mended {Kind} {Subject}: {Action}")]
    private partial void LogMended(FindingKind kind, string subject, string action);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Reconciliation could not compare with GitHub: {GithubError}")]
    private partial void LogNotCompared(string githubError);

    [LoggerMessage(Level = LogLevel.Information, Message = "Reconciliation ({Mode}): {Found} found, {Mended} mended")]
    private partial void LogRound(ReconciliationMode mode, int found, int mended);
}
