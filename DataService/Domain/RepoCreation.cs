namespace DataService.Domain;

/// <summary>What users and operators see of the job that creates a project's repository: one row per project.</summary>
internal sealed class RepoCreation
{
    internal RepoCreation(Guid projectId, DateTime updatedAt)
    {
        ProjectId = projectId;
        UpdatedAt = updatedAt;
    }

    public Guid ProjectId { get; private set; }
    public RepoCreationState State { get; private set; }

    /// <summary>Hangfire's id of the job that owns this creation; null where none was needed.</summary>
    public string? JobId { get; private set; }

    /// <summary>Executions so far, over all re-runs.</summary>
    public int Attempts { get; private set; }

    /// <summary>Automatic retries since the job was last enqueued by a person; bounds them.</summary>
    public int Retries { get; private set; }

    /// <summary>The exact repository name of the last POST, committed before it was sent, so that a later attempt knows where to look.</summary>
    public string? RepositoryName { get; private set; }

    /// <summary>When the attempt that is under way, or waits for its second turn, was begun; UTC.</summary>
    public DateTime? AttemptStartedAt { get; private set; }

    /// <summary>Counts the executions that have taken the creation in hand. What an earlier one still wants to save is void.</summary>
    public int Run { get; private set; }

    /// <summary>UTC, by the database's clock: until then the last run is alive, and others keep away.</summary>
    public DateTime? LeaseUntil { get; private set; }

    /// <summary>What a queued job waits for, apart from a worker.</summary>
    public WaitReason? WaitsFor { get; private set; }

    /// <summary>UTC; the turn that the budget has reserved for it.</summary>
    public DateTime? TurnAt { get; private set; }

    public FailureKind? ErrorCode { get; private set; }
    public int? GithubStatus { get; private set; }
    public string? GithubError { get; private set; }
    public DateTime? NextAttemptAt { get; private set; }
    public DateTime UpdatedAt { get; private set; }

    /// <summary>Whether a job is expected to go on by itself. Hangfire has the last word: its job may have been deleted.</summary>
    public bool IsLive => State is RepoCreationState.Queued or RepoCreationState.Creating or RepoCreationState.Retrying;

    /// <summary>A person had the job enqueued: by approving, or by re-running it. It gets a full set of attempts.</summary>
    public void Enqueue(string jobId, DateTime now)
    {
        JobId = jobId;
        Retries = 0;
        Enter(RepoCreationState.Queued, now);
    }

    /// <summary>A run takes the creation in hand; it renews the lease while it lives.</summary>
    /// <returns>The run's number, by which its later changes are known.</returns>
    public int Claim(DateTime leaseUntil)
    {
        LeaseUntil = leaseUntil;
        return ++Run;
    }

    /// <summary>The run is over: another one may begin at once. Nobody else ends a lease, whatever becomes of the row meanwhile.</summary>
    public void Release() => LeaseUntil = null;

    /// <summary>
    /// An attempt starts, or goes on where it had to wait in its middle. One that starts from a settled state was re-run by a person
    /// and gets a full set of attempts.
    /// </summary>
    public void BeginAttempt(string jobId, DateTime now)
    {
        if (!IsLive)
            Retries = 0;
        var goesOn = WaitsFor is not null && AttemptStartedAt is not null;
        var startedAt = goesOn ? AttemptStartedAt : now;
        if (!goesOn)
            Attempts++;
        JobId = jobId;
        Enter(RepoCreationState.Creating, now);
        AttemptStartedAt = startedAt;
    }

    /// <summary>
    /// The job comes back at <paramref name="at"/>; that spends no attempt. An attempt that waits in its middle is the same one
    /// when it goes on, and the error of an earlier one stays to be seen.
    /// </summary>
    /// <param name="reason">What it waits for.</param>
    /// <param name="at">UTC.</param>
    /// <param name="turn">The turn that is reserved; null where none is.</param>
    /// <param name="jobId">The job that comes back.</param>
    /// <param name="now">UTC.</param>
    public void Wait(WaitReason reason, DateTime at, DateTime? turn, string jobId, DateTime now)
    {
        if (!IsLive)
            Retries = 0;
        if (State is not RepoCreationState.Retrying)
        {
            var startedAt = AttemptStartedAt;
            Enter(RepoCreationState.Queued, now);
            AttemptStartedAt = startedAt;
        }

        (JobId, WaitsFor, NextAttemptAt, TurnAt, LeaseUntil, UpdatedAt) = (jobId, reason, at, turn, null, now);
    }

    /// <summary>Writes down the name that is about to be tried.</summary>
    public void Intend(string repositoryName, DateTime now)
    {
        RepositoryName = repositoryName;
        UpdatedAt = now;
    }

    /// <summary>The attempt failed and another one follows by itself at <paramref name="nextAttemptAt"/>.</summary>
    public void Retry(Failure failure, DateTime nextAttemptAt, DateTime now)
    {
        Retries++;
        Enter(RepoCreationState.Retrying, now, failure);
        NextAttemptAt = nextAttemptAt;
    }

    /// <summary>The attempt broke off without a word of its own, and is scheduled again.</summary>
    public void RetryIfCreating(Failure failure, DateTime nextAttemptAt, DateTime now)
    {
        if (State is RepoCreationState.Creating)
            Retry(failure, nextAttemptAt, now);
    }

    /// <summary>The attempt failed for good.</summary>
    public void Fail(Failure failure, DateTime now)
    {
        // A stranger holds the suffixed name too: a re-run starts over and draws a new suffix.
        if (failure.Kind is FailureKind.GitHubRepoNameTaken)
            RepositoryName = null;
        Enter(RepoCreationState.Failed, now, failure);
    }

    /// <inheritdoc cref="Fail"/>
    public void FailIfLive(Failure failure, DateTime now)
    {
        if (IsLive)
            Fail(failure, now);
    }

    /// <summary>A person had the job run again in the dashboard, before its time or after its end.</summary>
    public void Rerun(string jobId, DateTime now)
    {
        if (State is not RepoCreationState.Created)
            Enqueue(jobId, now);
    }

    /// <summary>The job was deleted in the dashboard before it came to an end.</summary>
    public void Abandon(DateTime now)
    {
        if (!IsLive)
            return;
        Enter(RepoCreationState.Failed, now);
        GithubError = "The job was deleted in the dashboard.";
    }

    public void Succeed(DateTime now) => Enter(RepoCreationState.Created, now);

    /// <summary>The project has a repository: the one that was created, or else the admin's choice.</summary>
    public void SettleByChoice(DateTime now)
    {
        if (State is not RepoCreationState.Created)
            Skip(now);
    }

    public void Skip(DateTime now) => Enter(RepoCreationState.Skipped, now);

    /// <summary>A running attempt finds the admin's choice by itself, and has to say what it created meanwhile.</summary>
    public void SkipUnlessRunning(DateTime now)
    {
        if (State is RepoCreationState.Queued or RepoCreationState.Retrying or RepoCreationState.Failed)
            Skip(now);
    }

    private void Enter(RepoCreationState state, DateTime now, Failure? failure = null)
    {
        State = state;
        AttemptStartedAt = null;
        WaitsFor = null;
        TurnAt = null;
        ErrorCode = failure?.Kind;
        GithubStatus = failure?.GithubStatus;
        GithubError = failure?.Text;
        NextAttemptAt = null;
        UpdatedAt = now;
    }
}
