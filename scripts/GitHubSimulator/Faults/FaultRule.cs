namespace GitHubSimulator.Faults;

/// <summary>Which calls a fault meets, how often, and what it does to them.</summary>
internal sealed record FaultRule
{
    public required FaultKind Kind { get; init; }

    /// <summary>Null: every method.</summary>
    public string? Method { get; init; }

    /// <summary>A pattern for the path without /api/v3: <c>/orgs/*/repos</c>. Null: every path.</summary>
    public string? Path { get; init; }

    /// <summary>A pattern for the repository's name; when one is created, for the name that is asked for. Null: every call.</summary>
    public string? Name { get; init; }

    /// <summary>How many calls it meets; null: every one until the fault is removed.</summary>
    public int? Times { get; init; }

    /// <summary>Milliseconds to wait before the fault acts, whatever its kind.</summary>
    public int DelayMs { get; init; }

    public RefusalPreset? Preset { get; init; }

    public int? Status { get; init; }

    public string? Message { get; init; }

    /// <summary>The answer's body as it is, instead of one made from the message.</summary>
    public string? Body { get; init; }

    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>For the rate limits; null: no Retry-After header, save for abuse, where it is 60.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>For the primary limit: in how many seconds it is reset; null: 60.</summary>
    public int? ResetSeconds { get; init; }

    public string? Location { get; init; }

    public bool Meets(string method, string path, string? name) =>
        (Kind is not FaultKind.NotYetVisible || (name is not null && method == HttpMethods.Get))
        && (Method is null || Method.Equals(method, StringComparison.OrdinalIgnoreCase))
        && (Path is null || Glob.MatchesPath(Path, path))
        && (Name is null || (name is not null && Glob.Matches(Name, name)));

    /// <returns>What is wrong with the rule; null if nothing.</returns>
    public string? Problem() => this switch
    {
        { Times: < 1 } => "times must be 1 or more; leave it out for a fault that stays until it is removed.",
        { DelayMs: < 0 } => "delayMs must not be negative.",
        { Kind: FaultKind.Delay, DelayMs: 0 } => "delay needs delayMs.",
        { Kind: FaultKind.Refuse, Preset: null, Status: null } =>
            $"refuse needs a status or a preset; presets: {string.Join(", ", EnumNames<RefusalPreset>.All)}.",
        { Kind: not FaultKind.Refuse, Preset: not null } => "preset goes with the kind refuse.",
        { Status: < 200 or > 599 } => "status must be from 200 to 599.",
        { Status: 204 or 205 or 304, Body: not null } => "This status has no body.",
        { Kind: FaultKind.Redirect, Location: null } => "redirect needs a location.",
        { Kind: not FaultKind.Redirect, Location: not null } => "location goes with the kind redirect.",
        { Location: { } location } when !IsHeaderValue(location) => "location must be printable ASCII.",
        { RetryAfterSeconds: < 0 } or { ResetSeconds: < 0 } => "retryAfterSeconds and resetSeconds must not be negative.",
        { Headers: { } headers } when !headers.All(header => IsHeaderName(header.Key) && IsHeaderValue(header.Value)) =>
            "headers must be names and printable ASCII values, without Content-Length and Transfer-Encoding.",
        _ => null,
    };

    private static bool IsHeaderName(string name) =>
        name.Length > 0
        && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_')
        // The server counts the body itself and would fail the answer over another length.
        && !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
        && !name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase);

    private static bool IsHeaderValue(string value) => value.All(character => character is >= ' ' and <= '~');
}
