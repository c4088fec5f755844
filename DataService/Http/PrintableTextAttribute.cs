using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace DataService.Http;

/// <summary>Refuses control characters, which PostgreSQL or GitHub would refuse later and less clearly.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
internal sealed class PrintableTextAttribute() : ValidationAttribute("{0} must not contain control characters.")
{
    /// <summary>Whether line breaks and tabs are fine.</summary>
    public bool Multiline { get; init; }

    /// <summary>With the member as callers spell it.</summary>
    public override string FormatErrorMessage(string name) => base.FormatErrorMessage(JsonNamingPolicy.CamelCase.ConvertName(name));

    public override bool IsValid(object? value) =>
        value is not string text || !text.Any(letter => char.IsControl(letter) && !(Multiline && letter is '\n' or '\r' or '\t'));
}
