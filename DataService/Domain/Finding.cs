namespace DataService.Domain;

/// <summary>What the reconciliation has found to differ between the projects, their jobs and GitHub. It is reported when it is first seen, and mended when it is seen again.</summary>
internal sealed class Finding
{
    internal Finding(FindingKind kind, string subject, Guid? projectId, string detail, DateTime firstSeenAt)
    {
        Kind = kind;
        Subject = subject;
        ProjectId = projectId;
        Detail = detail;
        FirstSeenAt = firstSeenAt;
        LastSeenAt = firstSeenAt;
    }

    public long Id { get; private set; }
    public FindingKind Kind { get; private set; }

    /// <summary>The project's slug, or the orphan's full name: with the kind, what it is about.</summary>
    public string Subject { get; private set; }

    /// <summary>Null where the project is gone.</summary>
    public Guid? ProjectId { get; private set; }

    /// <summary>For people.</summary>
    public string Detail { get; private set; }

    public DateTime FirstSeenAt { get; private set; }
    public DateTime LastSeenAt { get; private set; }

    /// <summary>What was done about it, for people; null while nothing was.</summary>
    public string? Action { get; private set; }

    /// <summary>When it was mended, or was no longer to be seen; UTC.</summary>
    public DateTime? SettledAt { get; private set; }

    public void SeeAgain(string detail, DateTime now) => (Detail, LastSeenAt) = (detail, now);

    public void Settle(string action, DateTime now) => (Action, SettledAt) = (action, now);
}

internal enum FindingKind
{
    /// <summary>An approved project with no repository and no live job.</summary>
    Missing,

    /// <summary>The linked repository bears another name now.</summary>
    Renamed,

    /// <summary>The linked repository is gone, or hidden from the token.</summary>
    Vanished,

    /// <summary>A repository that bears a project's mark and is linked to nothing.</summary>
    Orphan,
}
