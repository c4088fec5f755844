using System.Globalization;
using System.Text.RegularExpressions;

namespace DataService.GitHub;

/// <param name="Calls">At most so many calls that create content ...</param>
/// <param name="Period">... in any span of this length.</param>
internal readonly record struct ContentLimit(int Calls, TimeSpan Period)
{
    public override string ToString() => $"{Calls}/{(Period.TotalHours is 1 ? "h" : Period.TotalMinutes is 1 ? "min" : Period.TotalSeconds is 1 ? "s" : $"{Period.TotalSeconds:0.#}s")}";
}

/// <summary>What a token may create on GitHub, as in <c>1/s, 60/min, 400/h</c>. GitHub's own limits are about 80 a minute and 500 an hour.</summary>
internal static partial class ContentLimits
{
    public static readonly IReadOnlyList<ContentLimit> Default = [new(1, TimeSpan.FromSeconds(1)), new(60, TimeSpan.FromMinutes(1)), new(400, TimeSpan.FromHours(1))];

    private const string Off = "off";

    /// <summary>Reads <c>count/period</c>, separated by commas; a period is s, min or h, with a number before it where it is not 1. <c>off</c> is none.</summary>
    /// <returns>Null where the text is something else.</returns>
    public static IReadOnlyList<ContentLimit>? Parse(string text)
    {
        if (text.Equals(Off, StringComparison.OrdinalIgnoreCase))
            return [];
        var limits = new List<ContentLimit>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (Limit().Match(part) is not { Success: true } match
                || !int.TryParse(match.Groups["calls"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var calls) || calls is < 1 or > 10_000)
                return null;
            var number = match.Groups["number"] is { Length: > 0 } given ? int.Parse(given.ValueSpan, CultureInfo.InvariantCulture) : 1;
            var unit = match.Groups["unit"].Value switch { "s" => TimeSpan.FromSeconds(1), "min" => TimeSpan.FromMinutes(1), _ => TimeSpan.FromHours(1) };
            if (number < 1 || unit * number > TimeSpan.FromDays(1))
                return null;
            limits.Add(new ContentLimit(calls, unit * number));
        }

        return limits;
    }

    [GeneratedRegex(@"\A(?<calls>[0-9]{1,5})\s*/\s*(?<number>[0-9]{0,5})(?<unit>s|min|h)\z")]
    private static partial Regex Limit();
}
