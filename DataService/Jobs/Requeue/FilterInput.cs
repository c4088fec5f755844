using System.Globalization;
using System.Text.RegularExpressions;
using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Jobs.Requeue;

/// <summary>Reads a caller's filter. The first field that does not fit is refused by its name.</summary>
internal static partial class FilterInput
{
    /// <summary>The longest text that is searched for; characters.</summary>
    public const int MaxText = 100;

    /// <summary>Fewer letters have no index.</summary>
    public const int MinText = 3;

    public const string Instant = "an ISO-8601 instant with its zone, such as 2026-01-05T09:30:00Z, or a time before now, such as 30m, 2h or 7d";

    private const int MaxSlugs = 1_000;

    private static readonly string[] States = [.. Enum.GetNames<RepoCreationState>().Select(name => name.ToLowerInvariant())];

    private static readonly string[] Formats = [.. Enumerable.Range(0, 8).Select(digits => $"yyyy-MM-ddTHH:mm:ss{(digits is 0 ? "" : $".{new string('f', digits)}")}zzz")];

    /// <summary>
    /// Refuses what is there and says nothing. Where many are run again at once it is a slip, such as a variable that is not set; without it
    /// the filter would match all.
    /// </summary>
    /// <param name="lists">Each with the values of its field: repeated, or with commas between them.</param>
    /// <param name="texts">Each with its field.</param>
    /// <returns>The refusal; null where each says something.</returns>
    public static ProblemHttpResult? RefuseEmpty(
        IReadOnlyList<(string Field, IReadOnlyList<string?>? Values)> lists, IReadOnlyList<(string Field, string? Value)> texts)
    {
        foreach (var (field, values) in lists)
        {
            if (values is [])
                return Problems.Invalid(field, $"{field} is empty: name at least one, or leave {field} out.");
            if (values?.Any(value => value is not null && Split(value).Contains("")) is true)
                return Problems.Invalid(field, $"{field} has an empty value: name one, or leave {field} out.");
        }

        return texts.FirstOrDefault(text => text.Value is "").Field is { } empty
            ? Problems.Invalid(empty, $"{empty} is empty: give a value, or leave {empty} out.")
            : null;
    }

    /// <param name="states">The field's name, and the values: repeated, or with commas between them.</param>
    /// <param name="codes">As the states.</param>
    /// <param name="slugs">Projects.</param>
    /// <param name="since">See <see cref="Instant"/>.</param>
    /// <param name="until">See <see cref="Instant"/>.</param>
    /// <param name="q">A part of slug, name or GitHub's text.</param>
    /// <param name="now">UTC.</param>
    /// <param name="filter">Only where nothing is refused.</param>
    /// <returns>The refusal; null where all fits.</returns>
    public static ProblemHttpResult? Read(
        (string Field, IReadOnlyList<string?>? Values) states, (string Field, IReadOnlyList<string?>? Values) codes, IReadOnlyList<string?>? slugs,
        string? since, string? until, string? q, DateTime now, out CreationFilter filter)
    {
        filter = new();
        var wantedStates = Words(states.Values);
        if (wantedStates.Find(word => !States.Contains(word)) is { } state)
            return Problems.Invalid(states.Field, $"'{Shown(state)}' is no state; there are {string.Join(", ", States)}.");
        var wantedCodes = Words(codes.Values).ConvertAll(word => word.ToUpperInvariant());
        if (wantedCodes.Find(word => !CreationFilter.AllCodes.Contains(word)) is { } code)
            return Problems.Invalid(codes.Field, $"'{Shown(code)}' is no code; there are {string.Join(", ", CreationFilter.AllCodes)}.");
        if (slugs is { Count: > MaxSlugs })
            return Problems.Invalid("slugs", $"Give at most {MaxSlugs} slugs at a time.");
        if (slugs?.FirstOrDefault(slug => slug is null || slug.Any(char.IsControl)) is not null || slugs?.Contains(null) is true)
            return Problems.Invalid("slugs", "A slug must not be null or contain control characters.");
        if (q is { Length: < MinText and > 0 })
            return Problems.Invalid("q", $"q must have at least {MinText} characters.");
        if (!TryReadInstant(since, now, out var from))
            return Problems.Invalid("since", $"since must be {Instant}.");
        if (!TryReadInstant(until, now, out var to))
            return Problems.Invalid("until", $"until must be {Instant}.");
        filter = new CreationFilter
        {
            States = wantedStates.ConvertAll(word => Enum.Parse<RepoCreationState>(word, ignoreCase: true)),
            Codes = wantedCodes,
            Slugs = slugs is null ? [] : [.. slugs.OfType<string>().Distinct()],
            Since = from,
            Until = to,
            Text = string.IsNullOrEmpty(q) ? null : q,
        };
        return null;
    }

    private static List<string> Words(IReadOnlyList<string?>? values) =>
        [.. (values ?? []).SelectMany(value => Split(value ?? "null")).Where(word => word.Length > 0).Select(word => word.ToLowerInvariant()).Distinct()];

    private static string[] Split(string value) => value.Split(',', StringSplitOptions.TrimEntries);

    private static bool TryReadInstant(string? text, DateTime now, out DateTime? instant)
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

    private static string Shown(string word)
    {
        var printable = string.Concat(word.Where(letter => !char.IsControl(letter)));
        return printable.Length <= 50 ? printable : $"{printable[..50]}…";
    }

    [GeneratedRegex(@"\A(?<amount>[0-9]{1,5})(?<unit>[smhd])\z")]
    private static partial Regex Ago();
}
