using System.Globalization;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs.Requeue;
using Microsoft.Extensions.Primitives;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>A filter as it stands in the address, or in a form's hidden fields.</summary>
/// <param name="States">Words of <see cref="RepoCreationState"/>.</param>
/// <param name="Codes">Of <see cref="CreationFilter.AllCodes"/>.</param>
/// <param name="Since">See <see cref="Instants.Form"/>.</param>
/// <param name="Until">See <see cref="Instants.Form"/>.</param>
/// <param name="Text">A part of slug, name or GitHub's text.</param>
internal sealed record CreationQuery(IReadOnlyList<string> States, IReadOnlyList<string> Codes, string Since, string Until, string Text)
{
    public const string State = "state";
    public const string Code = "code";
    public const string From = "since";
    public const string To = "until";
    public const string Part = "q";

    /// <param name="field">The values of a field.</param>
    public static CreationQuery Read(Func<string, StringValues> field) => new(
        Split(field(State)), Split(field(Code)), One(field(From)), One(field(To)), One(field(Part)));

    /// <summary>Without <paramref name="filter"/>'s relative times, so that the filter means the same later on.</summary>
    public static CreationQuery Of(CreationFilter filter) => new(
        [.. filter.States.Select(Word)], filter.Codes, Instant(filter.Since), Instant(filter.Until), filter.Text ?? "");

    /// <param name="now">UTC.</param>
    /// <param name="filter">Only where nothing is refused.</param>
    /// <returns>What is wrong, for people; null where all fits.</returns>
    public string? Refuse(DateTime now, out CreationFilter filter)
    {
        filter = new CreationFilter();
        if (Text.Length > FilterInput.MaxText)
            return $"The text may have at most {FilterInput.MaxText} characters.";
        if (Text.Any(char.IsControl))
            return "The text must not contain control characters.";
        if (Text.Length is > 0 and < FilterInput.MinText)
            return $"The text must have at least {FilterInput.MinText} characters.";
        return FilterInput.Read((State, [.. States]), (Code, [.. Codes]), null, Since, Until, Text, now, out filter)?.ProblemDetails.Detail;
    }

    /// <summary>The address's part behind the path, which brings this filter back.</summary>
    public string Address(string? cursor = null) => QueryString.Create(
        [
            .. Fields().Select(field => KeyValuePair.Create(field.Name, new StringValues(field.Value))),
            .. cursor is null ? (KeyValuePair<string, StringValues>[])[] : [new("cursor", cursor)],
        ]).Value ?? "";

    public IEnumerable<Markup> HiddenFields() =>
        Fields().Select(field => Markup.Of($"""<input type="hidden" name="{field.Name}" value="{field.Value}">"""));

    public static string Word(RepoCreationState state) => Words<RepoCreationState>.Of(state);

    private IEnumerable<(string Name, string Value)> Fields()
    {
        IEnumerable<(string Name, string Value)> all =
            [.. States.Select(state => (State, state)), .. Codes.Select(code => (Code, code)), (From, Since), (To, Until), (Part, Text)];
        return all.Where(field => field.Value.Length > 0);
    }

    private static IReadOnlyList<string> Split(StringValues values) =>
        [.. values.SelectMany(value => (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)).Distinct()];

    private static string One(StringValues values) => values is [{ } value, ..] ? value.Trim() : "";

    private static string Instant(DateTime? at) => at?.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture) ?? "";
}
