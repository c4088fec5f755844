using System.Text.Json;
using GitHubSimulator.Faults;
using GitHubSimulator.Limits;

namespace GitHubSimulator.Control;

internal sealed record StrangerRequest(string Name, bool Private = false, string? Description = null);

/// <param name="To">The name of another repository of the same owner.</param>
internal sealed record TransferRequest(string To);

/// <summary>A fault as it comes in: kinds by name, and a body that is either JSON or a text to be sent as it is.</summary>
internal sealed record FaultRequest(
    string Kind,
    string? Method = null,
    string? Path = null,
    string? Name = null,
    int? Times = null,
    int DelayMs = 0,
    string? Preset = null,
    int? Status = null,
    string? Message = null,
    JsonElement? Body = null,
    Dictionary<string, string>? Headers = null,
    int? RetryAfterSeconds = null,
    int? ResetSeconds = null,
    string? Location = null)
{
    public (FaultRule? Rule, string? Problem) ToRule()
    {
        if (EnumNames<FaultKind>.Parse(Kind) is not { } kind)
            return (null, $"There is no kind '{Kind}'. Kinds: {string.Join(", ", EnumNames<FaultKind>.All)}.");
        if (Preset is not null && EnumNames<RefusalPreset>.Parse(Preset) is null)
            return (null, $"There is no preset '{Preset}'. Presets: {string.Join(", ", EnumNames<RefusalPreset>.All)}.");

        var rule = new FaultRule
        {
            Kind = kind,
            Method = Method,
            Path = Path,
            Name = Name,
            Times = Times,
            DelayMs = DelayMs,
            Preset = Preset is null ? null : EnumNames<RefusalPreset>.Parse(Preset),
            Status = Status,
            Message = Message,
            Body = Body is { } body ? body.ValueKind is JsonValueKind.String ? body.GetString() : body.GetRawText() : null,
            Headers = Headers,
            RetryAfterSeconds = RetryAfterSeconds,
            ResetSeconds = ResetSeconds,
            Location = Location,
        };
        return rule.Problem() is { } problem ? (null, problem) : (rule, null);
    }
}

/// <summary>The limits to enforce from now on; what is left out is off, save for the primary one.</summary>
internal sealed record LimitsRequest(
    int ContentPerMinute = 0,
    int ContentWindowSeconds = 60,
    int ContentPerHour = 0,
    int MinimumGapMs = 0,
    int BlockSeconds = 60,
    bool RetryAfter = true,
    int AccessRepositoryDelayMs = 0,
    int PrimaryPerHour = 5000)
{
    public ContentRules ToRules() => new()
    {
        ContentPerMinute = ContentPerMinute,
        ContentWindowSeconds = ContentWindowSeconds,
        ContentPerHour = ContentPerHour,
        MinimumGapMs = MinimumGapMs,
        BlockSeconds = BlockSeconds,
        RetryAfter = RetryAfter,
        AccessRepositoryDelayMs = AccessRepositoryDelayMs,
    };

    public string? Problem() => PrimaryPerHour < 1 ? "primaryPerHour must be 1 or more." : ToRules().Problem();
}

/// <summary>What the token may do from now on: none, read or write of each permission. What is left out stays.</summary>
/// <param name="ExpiresInSeconds">From now; 0 or less: it has expired.</param>
/// <param name="NeverExpires">True takes the expiry away.</param>
/// <param name="Administration">Of repositories.</param>
/// <param name="Contents">Of repositories.</param>
/// <param name="Issues">Of repositories.</param>
internal sealed record TokenRequest(
    int? ExpiresInSeconds = null, bool NeverExpires = false, string? Administration = null, string? Contents = null, string? Issues = null)
{
    private IEnumerable<(string Name, string Access)> Given =>
        new[] { ("administration", Administration), ("contents", Contents), ("issues", Issues) }.Where(given => given.Item2 is not null)!;

    public string? Problem() => Given.All(given => EnumNames<Access>.Parse(given.Access) is not null)
        ? null
        : $"administration, contents and issues must be one of {string.Join(", ", EnumNames<Access>.All)}.";

    public void Apply(SimulatorState state)
    {
        if (NeverExpires || ExpiresInSeconds is not null)
            state.Token.Expires = NeverExpires ? null : state.Time.GetUtcNow().AddSeconds(ExpiresInSeconds!.Value);
        foreach (var (name, access) in Given)
            state.Token.Set(name, EnumNames<Access>.Parse(access)!.Value);
    }
}
