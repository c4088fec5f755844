namespace DataService.Domain;

/// <summary>One step of a creation's history. <see cref="RepoCreation"/> writes them itself, so that no change goes untold.</summary>
internal sealed class CreationEvent
{
    internal CreationEvent(Guid projectId, DateTime at, CreationEventKind kind, string text)
    {
        ProjectId = projectId;
        At = at;
        Kind = kind;
        Text = text;
    }

    public long Id { get; private set; }
    public Guid ProjectId { get; private set; }

    /// <summary>UTC.</summary>
    public DateTime At { get; private set; }

    public CreationEventKind Kind { get; private set; }

    /// <summary>For people; GitHub's own where it failed.</summary>
    public string Text { get; private set; }

    /// <summary>The attempt that it happened in; null outside of one.</summary>
    public int? Attempt { get; init; }

    /// <summary>Hangfire's id.</summary>
    public string? JobId { get; init; }

    public FailureKind? Code { get; init; }
    public int? GithubStatus { get; init; }

    /// <summary>UTC; when the creation goes on by itself.</summary>
    public DateTime? NextAt { get; init; }
}

internal enum CreationEventKind
{
    Enqueued,
    AttemptStarted,

    /// <summary>An attempt began after one that never came to its end.</summary>
    Rescued,

    NameTaken,

    /// <summary>Told once, however often the job looks whether the wait is over.</summary>
    Waiting,

    Retrying,
    Failed,
    Created,

    /// <summary>Linked to a repository that stood there already, made by an attempt that never heard of it.</summary>
    Adopted,

    /// <summary>The admin chose a repository.</summary>
    Skipped,

    /// <summary>A job found that another one has taken its place.</summary>
    Superseded,
}
