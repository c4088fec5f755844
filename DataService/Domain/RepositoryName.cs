using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace DataService.Domain;

/// <summary>GitHub's rules for repository names, and ours for choosing one.</summary>
internal static partial class RepositoryName
{
    /// <summary>Characters.</summary>
    public const int MaxLength = 100;

    public const int SuffixLength = 4;

    private const string SuffixAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

    /// <summary>The second choice, for when a stranger holds the slug: <c>{slug}-{4 random characters}</c>.</summary>
    public static string WithSuffix(string slug) => $"{slug}-{RandomNumberGenerator.GetString(SuffixAlphabet, SuffixLength)}";

    /// <summary>Whether the text is <c>owner/name</c> as GitHub could have given it out.</summary>
    public static bool IsFullName(string text) => FullName().IsMatch(text);

    [GeneratedRegex(@"\A(?=[^/]{1,39}/)[A-Za-z0-9](?:[-_]?[A-Za-z0-9]){0,38}/(?!\.{1,2}\z)[A-Za-z0-9._-]{1,100}\z")]
    private static partial Regex FullName();
}
