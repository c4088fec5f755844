using DataService.Http;

namespace DataService.Diagnosis;

/// <summary>In the order in which they weigh.</summary>
internal enum CheckStatus
{
    Ok,

    /// <summary>All works, and will not for long; or it works, and not as it should.</summary>
    Warn,

    Fail,
}

/// <param name="Name">What was looked at.</param>
/// <param name="Status"><c>ok</c>, <c>warn</c> or <c>fail</c>.</param>
/// <param name="Message">What was found.</param>
/// <param name="Cure">What to do about it; null where all is well.</param>
internal sealed record CheckResponse(string Name, CheckStatus Status, string Message, string? Cure = null);

/// <param name="Status">The worst of the checks.</param>
/// <param name="Time">When they were done.</param>
/// <param name="Checks">In an order in which they are best read: what fails first may be the cause of what follows.</param>
internal sealed record DoctorResponse(CheckStatus Status, DateTime Time, IReadOnlyList<CheckResponse> Checks) : IWithExample
{
    static object IWithExample.Example => Of(
        [
            new("database", CheckStatus.Ok, "PostgreSQL 17.2 answers in 1 ms."),
            new("token-expiry", CheckStatus.Warn, "It expires in 9 days, at 2026-01-14 09:30:00Z.", "Make a new one, set GITHUB_TOKEN and restart the instances."),
        ],
        new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc));

    public static DoctorResponse Of(IReadOnlyList<CheckResponse> checks, DateTime time) =>
        new(checks.Select(check => check.Status).DefaultIfEmpty().Max(), time, checks);
}
