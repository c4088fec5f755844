namespace DataService.Domain;

/// <summary>One version of a project's specification. Versions are only ever added.</summary>
internal sealed class Spec
{
    private Spec(Guid id, Guid projectId, string contentMarkdown, int version, DateTime createdAt)
    {
        Id = id;
        ProjectId = projectId;
        ContentMarkdown = contentMarkdown;
        Version = version;
        CreatedAt = createdAt;
    }

    public Guid Id { get; private set; }
    public Guid ProjectId { get; private set; }
    public string ContentMarkdown { get; private set; }

    /// <summary>From 1, without gaps.</summary>
    public int Version { get; private set; }

    public DateTime CreatedAt { get; private set; }

    public static Spec Create(Guid projectId, string contentMarkdown, int version, DateTime now) =>
        new(Guid.CreateVersion7(), projectId, contentMarkdown, version, now);
}
