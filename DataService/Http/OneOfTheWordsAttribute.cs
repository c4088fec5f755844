using System.ComponentModel.DataAnnotations;
using DataService.Domain;

namespace DataService.Http;

/// <summary>Takes an enum's words, or nothing. The OpenAPI document lists them.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
internal sealed class OneOfTheWordsAttribute<TEnum>() : AllowedValuesAttribute([.. Words<TEnum>.All, null]) where TEnum : struct, Enum
{
    public override string FormatErrorMessage(string name) => $"{name} must be one of {string.Join(", ", Words<TEnum>.All)}.";
}
