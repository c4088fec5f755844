using System.ComponentModel.DataAnnotations;

namespace DataService.Http;

/// <summary>Refuses control characters, which PostgreSQL or GitHub would refuse later and less clearly.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
internal sealed class PrintableTextAttribute() : ValidationAttribute("{0} must not contain control characters.")
{
    /// <summary>Whether line breaks and tabs are fine.</summary>
    public bool Multiline { get; init; }

    public override bool IsValid(object? value) =>
        value is not string text || !text.Any(letter => char.IsControl(letter) && !(Multiline && letter is '\n' or '\r' or '\t'));
}
