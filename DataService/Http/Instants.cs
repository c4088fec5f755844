using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Http;

/// <summary>Reads the times of a caller's filter: the same in all lists.</summary>
internal static partial class Instants
{
    public const string Form = "an ISO-8601 instant with its zone, such as 2026-01-05T09:30:00Z, or a time before now, such as 30m, 2h or 7d";

    private static readonly string[] Formats = [.. Enumerable.Range(0, 8).Select(digits => $"yyyy-MM-ddTHH:mm:ss{(digits is 0 ? "" : $".{new string('f', digits)}")}zzz")];

    /// <param name="field">As the caller spells it.</param>
    /// <param name="text">What the caller gave; null or empty for no time.</param>
    /// <param name="now">UTC.</param>
    /// <param name="instant">UTC; null where none was given.</param>
    /// <returns>The refusal; null where it fits.</returns>
    public static ProblemHttpResult? Refuse(string field, string? text, DateTime now, out DateTime? instant) =>
        TryRead(text, now, out instant) ? null : Problems.Invalid(field, $"{field} must be {Form}.");

    private static bool TryRead(string? text, DateTime now, out DateTime? instant)
    {
        instant = null;
        if (string.IsNullOrEmpty(text))
            return true;
        if (Ago().Match(text) is { Success: true } ago)
        {
            var amount = int.Parse(ago.Groups["amount"].Value, CultureInfo.InvariantCulture);
            instant = now - ago.Groups["unit"].Value switch
            {
                "s" => TimeSpan.FromSeconds(amount),
                "m" => TimeSpan.FromMinutes(amount),
                "h" => TimeSpan.FromHours(amount),
                _ => TimeSpan.FromDays(amount),
            };
            return true;
        }

        // The format's zone takes an offset alone.
        var spelled = text.EndsWith('Z') ? $"{text[..^1]}+00:00" : text;
        if (!DateTimeOffset.TryParseExact(spelled, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at))
            return false;
        instant = at.UtcDateTime;
        return true;
    }

    [GeneratedRegex(@"\A(?<amount>[0-9]{1,5})(?<unit>[smhd])\z")]
    private static partial Regex Ago();
}
