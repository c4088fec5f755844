using DataService.Domain;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace DataService.Data;

/// <summary>Stores an enum as the lower-case word that the REST contract uses, so that rows read like answers.</summary>
internal sealed class LowerCaseEnumConverter<TEnum>() : ValueConverter<TEnum, string>(
    value => Words<TEnum>.Of(value),
    text => Words<TEnum>.Parse(text)) where TEnum : struct, Enum
{
    /// <summary>The SQL condition that the column holds one of the words.</summary>
    public static string Check(string column) =>
        $"{column} IN ({string.Join(", ", Words<TEnum>.All.Select(word => $"'{word}'"))})";
}
