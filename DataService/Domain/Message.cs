namespace DataService.Domain;

/// <summary>One turn of the interview. Messages are only ever added.</summary>
internal sealed class Message
{
    public const int MaxPhaseLength = 50;

    private Message(Guid id, Guid projectId, MessageRole role, string content, string? phase, DateTime createdAt)
    {
        Id = id;
        ProjectId = projectId;
        Role = role;
        Content = content;
        Phase = phase;
        CreatedAt = createdAt;
    }

    public Guid Id { get; private set; }
    public Guid ProjectId { get; private set; }
    public MessageRole Role { get; private set; }
    public string Content { get; private set; }

    /// <summary>The part of the interview that it belongs to, in the frontend's words.</summary>
    public string? Phase { get; private set; }

    public DateTime CreatedAt { get; private set; }

    public static Message Create(Guid projectId, MessageRole role, string content, string? phase, DateTime now) =>
        new(Guid.CreateVersion7(), projectId, role, content, phase, now);
}

internal enum MessageRole
{
    User,
    Assistant,
    System,
}
