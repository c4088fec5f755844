using System.Text.Json;
using System.Text.Json.Serialization;

namespace GitHubSimulator;

/// <summary>The names of an enum's values in the control API: lost-answer for LostAnswer.</summary>
internal static class EnumNames<T>
    where T : struct, Enum
{
    private static readonly JsonSerializerOptions Json = new()
    {
        Converters = { new JsonStringEnumConverter<T>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    private static readonly Dictionary<string, T> Values = Enum.GetValues<T>()
        .ToDictionary(value => JsonSerializer.SerializeToElement(value, Json).GetString()!, StringComparer.OrdinalIgnoreCase);

    private static readonly Dictionary<T, string> Names = Values.ToDictionary(pair => pair.Value, pair => pair.Key);

    public static IReadOnlyCollection<string> All => Values.Keys;

    public static string Of(T value) => Names[value];

    public static T? Parse(string name) => Values.TryGetValue(name, out var value) ? value : null;
}
