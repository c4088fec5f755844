namespace GitHubSimulator.Requests;

/// <summary>One request as it came in. The Authorization header is left out; whether there was one is not.</summary>
internal sealed record ReceivedRequest
{
    public required long Number { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required string Method { get; init; }

    /// <summary>Without /api/v3, which stands in <see cref="PathBase"/> if the client used it.</summary>
    public required string Path { get; init; }

    public required string PathBase { get; init; }

    public required string Query { get; init; }

    public required bool HasAuthorization { get; init; }

    /// <summary>Names compare without case.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    public required string Body { get; init; }

    /// <summary>Null while there is no answer, and for ever if the connection was dropped without one.</summary>
    public int? Status { get; set; }

    /// <summary>When the answer was out or the client had left, whichever came first; null before that.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    public string? UserAgent => Headers.GetValueOrDefault("User-Agent");

    public void End(DateTimeOffset now) => EndedAt ??= now;
}
