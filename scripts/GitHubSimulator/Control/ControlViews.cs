using GitHubSimulator.Faults;
using GitHubSimulator.Limits;

namespace GitHubSimulator.Control;

internal sealed record FaultView(
    int Id,
    string Kind,
    string? Method,
    string? Path,
    string? Name,
    int? Times,
    int Used,
    bool Spent,
    int DelayMs,
    string? Preset,
    int? Status,
    string? Message,
    string? Body,
    IReadOnlyDictionary<string, string>? Headers,
    int? RetryAfterSeconds,
    int? ResetSeconds,
    string? Location)
{
    public static FaultView Of(Fault fault)
    {
        var rule = fault.Rule;
        return new(
            fault.Id,
            EnumNames<FaultKind>.Of(rule.Kind),
            rule.Method,
            rule.Path,
            rule.Name,
            rule.Times,
            fault.Used,
            fault.IsSpent,
            rule.DelayMs,
            rule.Preset is { } preset ? EnumNames<RefusalPreset>.Of(preset) : null,
            rule.Status,
            rule.Message,
            rule.Body,
            rule.Headers,
            rule.RetryAfterSeconds,
            rule.ResetSeconds,
            rule.Location);
    }
}

internal sealed record LimitsView(
    int ContentPerMinute,
    int ContentWindowSeconds,
    int ContentPerHour,
    int MinimumGapMs,
    int BlockSeconds,
    bool RetryAfter,
    int AccessRepositoryDelayMs,
    int PrimaryPerHour,
    int PrimaryUsed,
    int ContentCalls,
    int LastMinute,
    int LastHour,
    int Blocks,
    int CallsWhileBlocked,
    DateTimeOffset? BlockedUntil)
{
    public static LimitsView Of(SimulatorState state)
    {
        var (content, primary) = (state.ContentLimit.Usage, state.PrimaryLimit.Usage);
        var rules = content.Rules;
        return new(
            rules.ContentPerMinute,
            rules.ContentWindowSeconds,
            rules.ContentPerHour,
            rules.MinimumGapMs,
            rules.BlockSeconds,
            rules.RetryAfter,
            rules.AccessRepositoryDelayMs,
            primary.Limit,
            primary.Used,
            content.ContentCalls,
            content.LastMinute,
            content.LastHour,
            content.Blocks,
            content.CallsWhileBlocked,
            content.BlockedUntil);
    }
}

internal sealed record TokenView(DateTimeOffset? Expires, bool Expired, string Administration, string Contents, string Issues)
{
    public static TokenView Of(SimulatorState state)
    {
        string Access(string name) => EnumNames<Access>.Of(state.Token.Permissions[name]);
        return new(state.Token.Expires, state.Token.IsExpired, Access("administration"), Access("contents"), Access("issues"));
    }
}
