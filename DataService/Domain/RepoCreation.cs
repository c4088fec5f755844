namespace DataService.Domain;

/// <summary>What users and operators see of the job that creates a project's repository: one row per project.</summary>
internal sealed class RepoCreation
{
    /// <summary>What the history says of a fresh job.</summary>
    public const string WaitsForWorker = "Waits for a worker.";

    private readonly List<CreationEvent> _events = [];

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

    /// <summary>The wait that the history ends with, so that a long one is told once; null where something has happened since.</summary>
    public WaitReason? NotedWait { get; private set; }

    /// <summary>What has happened since the row was loaded; it is saved with the row. What happened before is not loaded.</summary>
    public IReadOnlyCollection<CreationEvent> Events => _events;

    /// <summary>Whether a job is expected to go on by itself. Hangfire has the last word: its job may have been deleted.</summary>
    public bool IsLive => State is RepoCreationState.Queued or RepoCreationState.Creating or RepoCreationState.Retrying;

    /// <summary>A person had the job enqueued: by approving, or by re-running it. It gets a full set of attempts.</summary>
    /// <param name="jobId">The new job.</param>
    /// <param name="now">UTC.</param>
    /// <param name="cause">For the history, where no entry of the audit tells it.</param>
    public void Enqueue(string jobId, DateTime now, string? cause = null)
    {
        var replaced = IsLive && JobId != jobId ? JobId : null;
        JobId = jobId;
        Retries = 0;
        Enter(RepoCreationState.Queued, now);
        Note(
            CreationEventKind.Enqueued, now,
            cause ?? (replaced is null ? WaitsForWorker : $"Waits for a worker, in place of job {replaced}."));
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
    /// <param name="jobId">The job that runs.</param>
    /// <param name="now">UTC.</param>
    /// <param name="name">The repository name that it begins with.</param>
    public void BeginAttempt(string jobId, DateTime now, string? name = null)
    {
        if (!IsLive)
            Retries = 0;
        var isRescue = State is RepoCreationState.Creating;
        var goesOn = WaitsFor is not null && AttemptStartedAt is not null;
        var startedAt = goesOn ? AttemptStartedAt : now;
        if (!goesOn)
            Attempts++;
        JobId = jobId;
        Enter(RepoCreationState.Creating, now);
        AttemptStartedAt = startedAt;
        var begins = (name ?? RepositoryName) is { } tried ? $"Begins with the name {tried}." : "Begins.";
        if (isRescue)
            Note(CreationEventKind.Rescued, now, $"The attempt before never came to its end. {begins}");
        else if (!goesOn)
            Note(CreationEventKind.AttemptStarted, now, begins);
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
    /// <param name="failure">What the attempt ran into, where that is why it waits.</param>
    public void Wait(WaitReason reason, DateTime at, DateTime? turn, string jobId, DateTime now, Failure? failure = null)
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
        if (NotedWait == reason && failure is null)
            return;
        var waits = reason is WaitReason.Resume
            ? "Waits for the creation of repositories to be resumed."
            : "Waits for its turn: GitHub limits how much is created.";
        Note(CreationEventKind.Waiting, now, failure is null ? waits : $"{failure.Text} {waits}", failure, at);
        NotedWait = reason;
    }

    /// <summary>Writes down the name that is about to be tried.</summary>
    public void Intend(string repositoryName, DateTime now)
    {
        if (RepositoryName is { } taken && taken != repositoryName)
            Note(CreationEventKind.NameTaken, now, $"{taken} belongs to someone else. {repositoryName} is next.");
        RepositoryName = repositoryName;
        UpdatedAt = now;
    }

    /// <summary>The attempt failed and another one follows by itself at <paramref name="nextAttemptAt"/>.</summary>
    public void Retry(Failure failure, DateTime nextAttemptAt, DateTime now)
    {
        Retries++;
        Note(CreationEventKind.Retrying, now, failure.Text, failure, nextAttemptAt);
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
        Note(CreationEventKind.Failed, now, failure.Text, failure);
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
        const string Deleted = "The job was deleted in the dashboard.";
        Note(CreationEventKind.Failed, now, Deleted);
        Enter(RepoCreationState.Failed, now);
        GithubError = Deleted;
    }

    /// <param name="now">UTC.</param>
    /// <param name="repository">Its full name.</param>
    /// <param name="adopted">Whether an earlier attempt had made it.</param>
    public void Succeed(DateTime now, string? repository = null, bool adopted = false)
    {
        Note(adopted ? CreationEventKind.Adopted : CreationEventKind.Created, now, repository ?? "The repository is linked.");
        Enter(RepoCreationState.Created, now);
    }

    /// <summary>A job found that another one has taken its place.</summary>
    public void StepAside(string jobId, DateTime now) => Note(CreationEventKind.Superseded, now, $"Job {jobId} stepped aside for this one.");

    /// <summary>The project has a repository: the one that was created, or else the admin's choice.</summary>
    public void SettleByChoice(DateTime now)
    {
        if (State is not RepoCreationState.Created)
            Skip(now);
    }

    /// <param name="now">UTC.</param>
    /// <param name="text">For the history, where there is more to tell.</param>
    public void Skip(DateTime now, string? text = null)
    {
        if (State is not RepoCreationState.Skipped || text is not null)
            Note(CreationEventKind.Skipped, now, text ?? "A repository was chosen by hand.");
        Enter(RepoCreationState.Skipped, now);
    }

    /// <summary>A running attempt finds the admin's choice by itself, and has to say what it created meanwhile.</summary>
    public void SkipUnlessRunning(DateTime now)
    {
        if (State is RepoCreationState.Queued or RepoCreationState.Retrying or RepoCreationState.Failed)
            Skip(now);
    }

    private void Note(CreationEventKind kind, DateTime now, string text, Failure? failure = null, DateTime? nextAt = null)
    {
        _events.Add(new CreationEvent(ProjectId, now, kind, text)
        {
            Attempt = AttemptStartedAt is null ? null : Attempts,
            JobId = JobId,
            Code = failure?.Kind,
            GithubStatus = failure?.GithubStatus,
            NextAt = nextAt,
        });
        NotedWait = null;
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
