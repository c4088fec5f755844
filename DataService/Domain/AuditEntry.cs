namespace DataService.Domain;

/// <summary>Who changed what. Entries are only ever added, and outlive what they are about.</summary>
internal sealed class AuditEntry
{
    internal AuditEntry(DateTime at, string actor, AuditOrigin origin, AuditAction action)
    {
        At = at;
        Actor = actor;
        Origin = origin;
        Action = action;
    }

    public long Id { get; private set; }

    /// <summary>UTC.</summary>
    public DateTime At { get; private set; }

    /// <summary>The caller's name, for people.</summary>
    public string Actor { get; private set; }

    public AuditOrigin Origin { get; private set; }
    public AuditAction Action { get; private set; }

    /// <summary>The one project that it is about; null where it is about many or none. The project may be gone.</summary>
    public Guid? ProjectId { get; init; }

    /// <summary>The project's, which says more than the id once the project is gone.</summary>
    public string? Slug { get; init; }

    /// <summary>How many projects or jobs it changed.</summary>
    public int Count { get; init; } = 1;

    /// <summary>Why, in the caller's own words.</summary>
    public string? Reason { get; init; }

    /// <summary>What exactly, for people: the chosen repository, the filter of a re-run.</summary>
    public string? Detail { get; init; }

    /// <summary>The <c>X-Request-Id</c> of the request; null where the service acted by itself.</summary>
    public string? RequestId { get; init; }
}

/// <summary>What can be done by hand, or by the service in a person's place.</summary>
internal enum AuditAction
{
    Approve,
    ChooseRepository,
    ClearRepository,

    /// <summary>One creation, over REST.</summary>
    Requeue,

    /// <summary>Many creations at once.</summary>
    RequeueBulk,

    EnqueueMissing,
    Pause,
    Resume,
    DeleteProject,
    Reconcile,

    /// <summary>Any job, in the dashboard.</summary>
    RetryJob,

    /// <inheritdoc cref="RetryJob"/>
    DeleteJob,

    /// <summary>A recurring job, run before its time in the dashboard.</summary>
    TriggerJob,
}

/// <summary>Where an action came from.</summary>
internal enum AuditOrigin
{
    Rest,
    Dashboard,

    /// <summary>One of the operators' scripts, over REST.</summary>
    Script,

    /// <summary>The service itself.</summary>
    Service,
}
