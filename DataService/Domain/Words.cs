using System.Collections.Frozen;
using System.Text.Json;

namespace DataService.Domain;

/// <summary>An enum's values as the words that rows and answers use: <c>choose_repository</c>.</summary>
internal static class Words<TEnum> where TEnum : struct, Enum
{
    private static readonly FrozenDictionary<TEnum, string> ByValue =
        Enum.GetValues<TEnum>().ToFrozenDictionary(value => value, value => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()));

    private static readonly FrozenDictionary<string, TEnum> ByWord = ByValue.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    /// <summary>In the order of the enum.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<TEnum>().Select(Of)];

    public static string Of(TEnum value) => ByValue[value];

    /// <exception cref="KeyNotFoundException">It is none of the words.</exception>
    public static TEnum Parse(string word) => ByWord[word];
}
