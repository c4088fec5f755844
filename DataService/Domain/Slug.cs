using System.Text;
using AnyAscii;

namespace DataService.Domain;

/// <summary>
/// A project's identity in URLs and the first choice for its repository's name: <c>a-z</c>, <c>0-9</c> and single inner hyphens,
/// a subset of what GitHub takes unchanged.
/// </summary>
internal static class Slug
{
    /// <summary>GitHub's 100 characters, less the room that <see cref="RepositoryName.WithSuffix"/> needs.</summary>
    public const int MaxLength = RepositoryName.MaxLength - RepositoryName.SuffixLength - 1;

    /// <summary>The slug for a name, other scripts spelled in ASCII; null where nothing of the name can be spelled so.</summary>
    public static string? From(string name)
    {
        var slug = new StringBuilder(name.Length);
        foreach (var letter in name.Transliterate())
        {
            if (char.IsAsciiLetterOrDigit(letter))
                slug.Append(char.ToLowerInvariant(letter));
            else if (letter is not '\'' && slug.Length > 0 && slug[^1] is not '-')
                slug.Append('-');
        }

        if (slug.Length > MaxLength)
            slug.Length = MaxLength;
        var trimmed = slug.ToString().TrimEnd('-');
        return trimmed.Length is 0 ? null : trimmed;
    }
}
