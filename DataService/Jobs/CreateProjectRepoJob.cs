using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using Hangfire;
using Hangfire.Server;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <summary>
/// Creates an approved project's private repository and links it. Safe to run again at any point: it asks first whether the work
/// is done, writes down each name before it tries it, and looks under that name before it tries it again.
/// </summary>
internal sealed partial class CreateProjectRepoJob(
    DataServiceDbContext db,
    RepositoryCreator creator,
    RepositoryCatalog catalog,
    CreationGate gate,
    RunLease leases,
    GitHubOptions gitHub,
    RetryPolicy retries,
    JobStorage storage,
    IBackgroundJobClient jobs,
    CreationMetrics metrics,
    TimeProvider time,
    ILogger<CreateProjectRepoJob> logger)
{
    /// <summary>A turn so near is sat out: to schedule the job anew would cost more.</summary>
    private static readonly TimeSpan ShortWait = TimeSpan.FromSeconds(1);

    /// <param name="projectId">The project to serve. It may be gone, or served, by the time the job runs.</param>
    /// <param name="context">Filled in by Hangfire.</param>
    /// <param name="cancellationToken">Filled in by Hangfire; cancelled when the server has no time left to finish.</param>
    /// <exception cref="JobFailedException">The attempt failed; the row says so already.</exception>
    /// <exception cref="JobPostponedException">It is not this job's turn.</exception>
    /// <exception cref="JobAbortedException">Another run has taken over.</exception>
    public async Task RunAsync(Guid projectId, PerformContext context, CancellationToken cancellationToken)
    {
        if (await BeginAsync(projectId, context.BackgroundJob.Id, cancellationToken) is not { } attempt)
            return;
        await using var lease = leases.Keep(projectId, attempt.Run);
        try
        {
            var created = await CreateAsync(attempt, cancellationToken);
            await LinkAsync(attempt, created, cancellationToken);
        }
        catch (ProjectGoneException)
        {
            LogProjectGone(projectId);
        }
        // A cancelled run is handed back to the queue as it is: it was stopped, it did not fail.
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            await ReleaseAsync(attempt);
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
        catch (Exception exception) when (exception is not (JobPostponedException or JobAbortedException))
        {
            if (await FailAsync(attempt, exception, cancellationToken) is { } failed)
                throw failed;
        }
    }

    /// <summary>The work to do, or null when there is none left for this job.</summary>
    /// <exception cref="JobPostponedException">Another run is at it, or the gate is closed.</exception>
    private async Task<Attempt?> BeginAsync(Guid projectId, string jobId, CancellationToken cancellationToken)
    {
        DateTime? turn = null;
        while (true)
        {
            var (attempt, wait) = await db.InTransactionAsync(token => BeginAsync(projectId, jobId, turn, token), cancellationToken);
            if (wait is null)
                return attempt;
            turn = await WaitAsync(wait, cancellationToken);
        }
    }

    private async Task<(Attempt? Attempt, Postponement? Wait)> BeginAsync(Guid projectId, string jobId, DateTime? turn, CancellationToken cancellationToken)
    {
        if (await db.LockProjectAsync(projectId, cancellationToken) is not { } project)
        {
            LogProjectGone(projectId);
            return default;
        }

        var creation = project.TrackRepoCreation(time.UtcNow);
        if (project.GithubRepo is { } repository)
        {
            creation.SettleByChoice(time.UtcNow);
            LogHasRepository(project.Slug, repository);
            return default;
        }

        // A leftover, whose process died before it could delete it, goes on with nothing that has come to its end under another job.
        if (creation.JobId is { } owner && owner != jobId && (!creation.IsLive || IsAlive(owner)))
        {
            creation.StepAside(jobId, time.UtcNow);
            LogSuperseded(project.Slug, jobId, owner);
            return default;
        }

        if (creation is { State: RepoCreationState.Skipped } && creation.JobId == jobId)
        {
            LogSettled(project.Slug, jobId);
            return default;
        }

        var now = await db.ClockAsync(cancellationToken);
        if (creation.LeaseUntil is { } leaseUntil && leaseUntil > now)
        {
            LogHeld(project.Slug, jobId, leaseUntil);
            return (null, new Postponement(time.UtcNow + (leaseUntil - now), "Another run of this project's creation is under way", null, IsShort(time.UtcNow + (leaseUntil - now))));
        }

        // A worker that was silent for too long gets its job back into the queue, although it has scheduled the retry by then.
        if (creation is { State: RepoCreationState.Retrying, WaitsFor: null, NextAttemptAt: { } due } && creation.JobId == jobId && !IsShort(due))
            return (null, new Postponement(due, "Waits for the time of its retry", null, IsShort: false));

        var looks = creation.RepositoryName is not null;
        var reserved = turn ?? creation.TurnAt;
        var admission = await gate.AdmitAsync(db, creates: !looks && gitHub.Token is not null, reserved, isProbe: false, cancellationToken);
        if (Wait(creation, admission, jobId) is { } wait)
            return (null, wait);

        var run = creation.Claim(now + RunLease.Length);
        var name = creation.RepositoryName ?? project.Slug;
        creation.BeginAttempt(jobId, time.UtcNow, name);
        if (!looks)
            creation.Intend(name, time.UtcNow);
        return (new Attempt(project.Id, project.Slug, project.Name, jobId, run, name, looks, looks ? reserved : null, admission.IsProbe), null);
    }

    /// <summary>Saves that the job has to come back, unless the wait is so short that it is sat out: decided once, within the transaction.</summary>
    private Postponement? Wait(RepoCreation creation, Admission admission, string jobId)
    {
        if (admission.WaitUntil is not { } at)
            return null;
        var wait = Postponement.For(admission, IsShort(at));
        if (!wait.IsShort)
            creation.Wait(admission.Reason, at, admission.Turn, jobId, time.UtcNow);
        return wait;
    }

    private async Task<CreatedRepository> CreateAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        if (gitHub.Token is null)
            throw new FailureException(Failure.TokenMissing);
        if (await TryNameAsync(attempt, attempt.Name, attempt.Looks, cancellationToken) is { } first)
            return first;
        if (attempt.Name != attempt.Slug)
            throw new FailureException(Failure.NameTaken);
        LogNameTaken(attempt.Slug, attempt.Name);

        // What was written down may have been lost with a database that was restored: GitHub still bears the mark.
        if (await catalog.FindOwnAsync(attempt.ProjectId, cancellationToken) is { } forgotten)
            return forgotten;
        var suffixed = RepositoryName.WithSuffix(attempt.Slug);
        await TakeTurnAsync(attempt, suffixed, reserved: null, cancellationToken);
        if (await creator.CreateAsync(suffixed, attempt.ProjectId, attempt.ProjectName, mayExist: false, cancellationToken) is { } second)
            return second;
        LogNameTaken(attempt.Slug, suffixed);
        throw new FailureException(Failure.NameTaken);
    }

    /// <summary>The repository under the name, made now or by an earlier attempt; null where it is a stranger's.</summary>
    private async Task<CreatedRepository?> TryNameAsync(Attempt attempt, string name, bool looks, CancellationToken cancellationToken)
    {
        if (looks)
        {
            var found = await creator.LookAsync(name, attempt.ProjectId, cancellationToken);
            if (found is not { Occupant: Occupant.Nobody })
                return found.Repository;
            await TakeTurnAsync(attempt, name, attempt.Turn, cancellationToken);
        }

        return await creator.CreateAsync(name, attempt.ProjectId, attempt.ProjectName, mayExist: looks, cancellationToken);
    }

    /// <summary>Waits for the turn to create, and writes down the name, in one transaction: the POST that follows is foreseen and counted.</summary>
    /// <exception cref="JobPostponedException">The turn is not near. The name is written down: the job goes on with it.</exception>
    private async Task TakeTurnAsync(Attempt attempt, string name, DateTime? reserved, CancellationToken cancellationToken)
    {
        while (true)
        {
            var turn = reserved;
            var wait = await db.InTransactionAsync(async token =>
            {
                var creation = await LockOwnAsync(attempt, token);
                creation.Intend(name, time.UtcNow);
                return Wait(creation, await gate.AdmitAsync(db, creates: true, turn, attempt.IsProbe, token), attempt.JobId);
            }, cancellationToken);
            if (wait is null)
                return;
            reserved = await WaitAsync(wait, cancellationToken);
        }
    }

    private async Task LinkAsync(Attempt attempt, CreatedRepository created, CancellationToken cancellationToken)
    {
        catalog.Invalidate();
        var (chosen, resumed, approvedAt) = await db.InTransactionAsync(async token =>
        {
            var project = await db.LockProjectAsync(attempt.ProjectId, token);
            var resumed = await gate.AcceptAsync(db, attempt.IsProbe, hasCreated: !created.Adopted, token);
            if (project is not { RepoCreation: { } creation })
                return ("nothing: the project was deleted meanwhile", resumed, null);
            Fence(creation, attempt);
            creation.Release();
            var isLinked = project.LinkRepository(created.FullName, created.Id, time.UtcNow, created.Adopted);
            if (isLinked)
                await db.UnlinkIssuesAsync(project.Id, created.FullName, isNew: true, token);
            return (isLinked ? null : project.GithubRepo, resumed, project.ApprovedAt);
        }, cancellationToken);
        if (chosen is null)
            metrics.Created(created.Adopted, time.UtcNow - approvedAt);
        else
            metrics.CreatedBeside();
        if (chosen is not null)
            LogCreatedBeside(attempt.Slug, created.FullName, chosen);
        else if (created.Adopted)
            LogAdopted(attempt.Slug, created.FullName);
        else
            LogCreated(attempt.Slug, created.FullName);
        if (resumed)
            jobs.Enqueue<WakeWaitingJob>(job => job.RunAsync(CancellationToken.None));
    }

    /// <summary>Saves how the attempt failed; null where that no longer matters, because the creation was settled meanwhile.</summary>
    /// <exception cref="JobPostponedException">It is the token that was refused, and creation is paused because of it.</exception>
    private async Task<JobFailedException?> FailAsync(Attempt attempt, Exception exception, CancellationToken cancellationToken)
    {
        var now = time.UtcNow;
        var failure = gitHub.Redact(exception is FailureException classified ? classified.Failure : GitHubFailure.Classify(exception, now));
        var outcome = await db.InTransactionAsync(async token =>
        {
            var project = await db.LockProjectAsync(attempt.ProjectId, token);
            if (project is not { RepoCreation: { } creation })
                return new FailureOutcome((await gate.LearnAsync(db, failure, attempt.IsProbe, token)).Failure, null, Paused: false, Counts: false);
            Fence(creation, attempt);
            // The answer to the commit was lost, and this is the second time.
            if (creation.JobId == attempt.JobId && creation.UpdatedAt == now && creation.State is not RepoCreationState.Creating)
                return new FailureOutcome(failure, creation.NextAttemptAt, creation.WaitsFor is WaitReason.Resume, Counts: true);
            var (learned, paused) = await gate.LearnAsync(db, failure, attempt.IsProbe, token);
            creation.Release();
            if (project.GithubRepo is not null)
            {
                creation.SettleByChoice(now);
                return new FailureOutcome(learned, null, paused, Counts: false);
            }

            // Deleted in the dashboard, or enqueued anew: what happens next is no longer this attempt's to say.
            if (creation.State is not RepoCreationState.Creating || creation.JobId != attempt.JobId)
                return new FailureOutcome(learned, null, paused, Counts: false, IsAborted: creation.JobId == attempt.JobId);
            var nextAttemptAt = paused ? CreationGate.NextLook(now, since: now) : retries.NextAttempt(learned, creation.Retries, now, Random.Shared.NextDouble());
            if (paused)
                creation.Wait(WaitReason.Resume, nextAttemptAt!.Value, null, attempt.JobId, now, failure);
            else if (nextAttemptAt is { } at)
                creation.Retry(learned, at, now);
            else
                creation.Fail(learned, now);
            return new FailureOutcome(learned, nextAttemptAt, paused, Counts: true);
        }, cancellationToken);
        LogFailed(
            failure.Kind is FailureKind.Internal ? exception : null,
            attempt.Slug, failure.GithubStatus, failure.Text, failure.Kind.Code, outcome.NextAttemptAt);
        if (outcome.IsAborted)
            throw new JobAbortedException();
        if (!outcome.Counts)
            return null;
        if (outcome.Paused)
            metrics.Paused(failure.Kind);
        else if (outcome.NextAttemptAt is not null)
            metrics.Retrying(failure.Kind);
        else
            metrics.Failed(failure.Kind);
        return outcome.Paused
            ? throw Postponement.For(new Admission(outcome.NextAttemptAt, WaitReason.Resume), isShort: false).Exception
            : new JobFailedException(attempt.Slug, outcome.Failure, outcome.NextAttemptAt);
    }

    /// <summary>Stopped in its middle: the next run need not wait for the end of the lease. It ends by itself where the database is away.</summary>
    private async Task ReleaseAsync(Attempt attempt)
    {
        try
        {
            await db.RepoCreations.Where(creation => creation.ProjectId == attempt.ProjectId && creation.Run == attempt.Run)
                .ExecuteUpdateAsync(creation => creation.SetProperty(c => c.LeaseUntil, (DateTime?)null), CancellationToken.None);
        }
        catch (Exception exception) when (DatabaseOutage.IsCauseOf(exception))
        {
            LogNotReleased(exception, attempt.Slug);
        }
    }

    /// <summary>The attempt's own row, for a change.</summary>
    private async Task<RepoCreation> LockOwnAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        if (await db.LockProjectAsync(attempt.ProjectId, cancellationToken) is not { RepoCreation: { } creation })
            throw new ProjectGoneException();
        Fence(creation, attempt);
        return creation;
    }

    /// <summary>A worker that was frozen, or cut off from the database, may wake after another one has taken over: it changes nothing any more.</summary>
    /// <exception cref="JobAbortedException">Another run has taken over. Hangfire leaves the job's state to it.</exception>
    private void Fence(RepoCreation creation, Attempt attempt)
    {
        if (creation.Run == attempt.Run)
            return;
        LogTakenOver(attempt.Slug, attempt.JobId, attempt.Run, creation.Run);
        throw new JobAbortedException();
    }

    private bool IsShort(DateTime at) => at - time.UtcNow <= ShortWait;

    /// <summary>Sits a short wait out.</summary>
    /// <returns>The turn that was waited for.</returns>
    /// <exception cref="JobPostponedException">The wait is not short.</exception>
    private async Task<DateTime?> WaitAsync(Postponement wait, CancellationToken cancellationToken)
    {
        if (!wait.IsShort)
            throw wait.Exception;
        if (wait.Until - time.UtcNow is { Ticks: > 0 } rest)
            await Task.Delay(rest, time, cancellationToken);
        return wait.Turn;
    }

    private bool IsAlive(string jobId)
    {
        using var connection = storage.GetConnection();
        return RepoCreationQueue.IsAlive(connection.GetStateData(jobId)?.Name);
    }

    /// <param name="ProjectId">Whose repository it is.</param>
    /// <param name="Slug">Of the project.</param>
    /// <param name="ProjectName">Of the project.</param>
    /// <param name="JobId">Hangfire's.</param>
    /// <param name="Run">The number under which this run has taken the creation in hand.</param>
    /// <param name="Name">The name to try, written down already.</param>
    /// <param name="Looks">Whether an earlier attempt has written it down, and may have created the repository.</param>
    /// <param name="Turn">The turn that was reserved for the name's POST, should the look find nobody; null where none was.</param>
    /// <param name="IsProbe">Whether it tells if a new token is accepted.</param>
    private sealed record Attempt(Guid ProjectId, string Slug, string ProjectName, string JobId, int Run, string Name, bool Looks, DateTime? Turn, bool IsProbe);

    /// <param name="Failure">With what was learned from it.</param>
    /// <param name="NextAttemptAt">UTC; null where none comes by itself.</param>
    /// <param name="Paused">Whether it waits for the end of a pause.</param>
    /// <param name="Counts">Whether the creation has failed by it.</param>
    /// <param name="IsAborted">Whether Hangfire's state of the job is someone else's to say.</param>
    private sealed record FailureOutcome(Failure Failure, DateTime? NextAttemptAt, bool Paused, bool Counts, bool IsAborted = false);

    private sealed class ProjectGoneException : Exception;

    /// <param name="Until">UTC.</param>
    /// <param name="Reason">For operators.</param>
    /// <param name="Turn">The turn that is reserved; null where none is.</param>
    /// <param name="IsShort">Whether it is sat out; nothing was saved then.</param>
    private sealed record Postponement(DateTime Until, string Reason, DateTime? Turn, bool IsShort)
    {
        public JobPostponedException Exception => new(Until, Reason);

        public static Postponement For(Admission admission, bool isShort) => new(
            admission.WaitUntil!.Value,
            admission.Reason is WaitReason.Resume ? "Creation of repositories is paused" : "Waits for its turn: GitHub limits how much is created",
            admission.Turn,
            isShort);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Created repository {Repository} for {Slug}")]
    private partial void LogCreated(string slug, string repository);

    [LoggerMessage(Level = LogLevel.Information, Message = "Adopted repository {Repository} for {Slug}: an earlier attempt had made it")]
    private partial void LogAdopted(string slug, string repository);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Created repository {Repository} for {Slug}, but it is linked to {Chosen}")]
    private partial void LogCreatedBeside(string slug, string repository, string chosen);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Repository name {RepositoryName}, wanted for {Slug}, belongs to someone else")]
    private partial void LogNameTaken(string slug, string repositoryName);

    [LoggerMessage(Level = LogLevel.Error, Message = "Creating the repository for {Slug} failed: {Status} {GithubError} ({Code}), next attempt {NextAttemptAt}")]
    private partial void LogFailed(Exception? exception, string slug, int? status, string githubError, string code, DateTime? nextAttemptAt);

    [LoggerMessage(Level = LogLevel.Information, Message = "Project {ProjectId} is gone, no repository is created")]
    private partial void LogProjectGone(Guid projectId);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Slug} has repository {Repository}, none is created")]
    private partial void LogHasRepository(string slug, string repository);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId} for {Slug} has nothing to do: the admin's choice settled it")]
    private partial void LogSettled(string slug, string jobId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId} for {Slug} steps aside for job {Owner}")]
    private partial void LogSuperseded(string slug, string jobId, string owner);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId} for {Slug} waits: another run is under way until {LeaseUntil} at least")]
    private partial void LogHeld(string slug, string jobId, DateTime leaseUntil);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {Run} of job {JobId} for {Slug} ends without a word: run {LaterRun} has taken over")]
    private partial void LogTakenOver(string slug, string jobId, int run, int laterRun);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease on the creation of {Slug} could not be released; it runs out by itself")]
    private partial void LogNotReleased(Exception exception, string slug);
}
