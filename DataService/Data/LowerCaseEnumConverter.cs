using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace DataService.Data;

/// <summary>Stores an enum as the lower-case word that the REST contract uses, so that rows read like answers.</summary>
internal sealed class LowerCaseEnumConverter<TEnum>() : ValueConverter<TEnum, string>(
    value => value.ToString().ToLowerInvariant(),
    text => Enum.Parse<TEnum>(text, true)) where TEnum : struct, Enum
{
    /// <summary>The SQL condition that the column holds one of the words.</summary>
    public static string Check(string column) =>
        $"{column} IN ({string.Join(", ", Enum.GetValues<TEnum>().Select(value => $"'{value.ToString().ToLowerInvariant()}'"))})";
}
