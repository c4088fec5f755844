namespace Operator;

/// <summary>What the service answers, as far as the scripts read it; its OpenAPI document has all of it.</summary>
internal sealed record LiveAnswer(string Status, DateTime Time);

internal sealed record BatchAnswer(
    int Matched, int Requeued, int Skipped, int Remaining, IReadOnlyDictionary<string, int> SkippedReasons, DateTime Until, string Engine);

internal sealed record ListedCreation(
    string Slug, string Name, string State, string? JobId, int Attempts, string? ErrorCode, int? GithubStatus, string? GithubError,
    DateTime? NextAttemptAt, string? WaitsFor, DateTime UpdatedAt);

internal sealed record CreationsPage(IReadOnlyList<ListedCreation> Data, string? NextCursor, IReadOnlyDictionary<string, int> CountsByCode);

internal sealed record PauseAnswer(DateTime Since, string By, string? Code, string Reason);

internal sealed record StatusAnswer(PauseAnswer? Pause, DateTime? LimitedUntil, int WaitingForBudget, int WaitingForResume);

internal sealed record CheckAnswer(string Name, string Status, string Message, string? Cure);

internal sealed record DoctorAnswer(string Status, DateTime Time, IReadOnlyList<CheckAnswer> Checks);
