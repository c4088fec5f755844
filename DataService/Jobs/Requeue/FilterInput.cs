using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Jobs.Requeue;

/// <summary>Reads a caller's filter. The first field that does not fit is refused by its name.</summary>
internal static class FilterInput
{
    /// <summary>The longest text that is searched for; characters.</summary>
    public const int MaxText = 100;

    public const string TooLong = "q must have at most 100 characters.";

    /// <summary>Fewer letters have no index.</summary>
    public const int MinText = 3;

    private const int MaxSlugs = 1_000;

    private static readonly string[] States = [.. Enum.GetNames<RepoCreationState>().Select(name => name.ToLowerInvariant())];

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
    /// <param name="since">See <see cref="Instants.Form"/>.</param>
    /// <param name="until">See <see cref="Instants.Form"/>.</param>
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
        if (Instants.Refuse("since", since, now, out var from) is { } unfitSince)
            return unfitSince;
        if (Instants.Refuse("until", until, now, out var to) is { } unfitUntil)
            return unfitUntil;
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

    private static string Shown(string word)
    {
        var printable = string.Concat(word.Where(letter => !char.IsControl(letter)));
        return printable.Length <= 50 ? printable : $"{printable[..50]}…";
    }
}
