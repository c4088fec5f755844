using System.Globalization;

namespace DataService.Diagnosis;

internal static class ClockCheck
{
    private static readonly TimeSpan Noticeable = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Harmful = TimeSpan.FromSeconds(60);

    /// <param name="name">The check's.</param>
    /// <param name="whose">The other clock, in the possessive.</param>
    /// <param name="skew">How far ours is ahead.</param>
    public static CheckResponse Of(string name, string whose, TimeSpan skew)
    {
        var seconds = skew.Duration().TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
        return skew.Duration() < Noticeable
            ? new CheckResponse(name, CheckStatus.Ok, $"Ours and {whose} agree.")
            : new CheckResponse(
                name, skew.Duration() < Harmful ? CheckStatus.Warn : CheckStatus.Fail,
                $"Ours is {seconds} s {(skew > TimeSpan.Zero ? "ahead of" : "behind")} {whose}.",
                "Turn on time synchronisation (NTP) on both machines: retries and pauses come at the wrong time.");
    }
}
