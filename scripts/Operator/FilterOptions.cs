using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Operator;

/// <summary>Which creations: the filter of the service's lists.</summary>
internal static partial class FilterOptions
{
    public static Option<string[]> Codes() => CommonOptions.NoneEmpty(new("--code")
    {
        Description = "Only failures with this code, such as GITHUB_FORBIDDEN; NONE for those without one. May be repeated",
        HelpName = "code",
    });

    public static Option<string> Since() => CommonOptions.NotEmpty(new Option<string>("--since")
    {
        Description = "Only what changed then or later: 30m, 2h, 7d, or an instant such as 2026-01-05T09:30:00Z",
        HelpName = "time",
    });

    public static Option<string> Until() => CommonOptions.NotEmpty(
        new Option<string>("--until") { Description = "Only what changed before: as --since", HelpName = "time" });

    public static Option<string> Text() => CommonOptions.NotEmpty(
        new Option<string>("--q") { Description = "Only with this in the slug, the project's name or GitHub's text", HelpName = "text" });

    /// <summary>Times before now as instants by the service's clock: told anew with each call, they would move on meanwhile.</summary>
    public static async Task<(string? Since, string? Until)> InstantsAsync(ScriptRun run, string? since, string? until)
    {
        if (!Ago().IsMatch(since ?? "") && !Ago().IsMatch(until ?? ""))
            return (since, until);
        var now = (await run.Service.GetAsync<LiveAnswer>("health/live")).Time;
        return (Instant(since, now), Instant(until, now));
    }

    private static string? Instant(string? text, DateTime now)
    {
        if (Ago().Match(text ?? "") is not { Success: true } ago)
            return text;
        var amount = int.Parse(ago.Groups["amount"].Value, CultureInfo.InvariantCulture);
        return Screen.Instant(now - ago.Groups["unit"].Value switch
        {
            "s" => TimeSpan.FromSeconds(amount),
            "m" => TimeSpan.FromMinutes(amount),
            "h" => TimeSpan.FromHours(amount),
            _ => TimeSpan.FromDays(amount),
        });
    }

    [GeneratedRegex(@"\A(?<amount>[0-9]{1,5})(?<unit>[smhd])\z")]
    private static partial Regex Ago();
}
