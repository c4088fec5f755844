using System.Text;

namespace GitHubSimulator.Api;

/// <summary>What GitHub makes of a name, and what it accepts.</summary>
internal static class RepositoryName
{
    private const int LongestName = 100;
    private const int LongestDescription = 350;

    /// <summary>Every run of characters that a name cannot hold silently becomes one dash.</summary>
    public static string Sanitise(string name)
    {
        var result = new StringBuilder(name.Length);
        var replaced = false;
        foreach (var character in name)
        {
            var fits = char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-';
            if (fits)
                result.Append(character);
            else if (!replaced)
                result.Append('-');
            replaced = !fits;
        }

        return result.ToString();
    }

    /// <param name="name">Sanitised.</param>
    public static string? Problem(string name) => name switch
    {
        "" => "name is too short (minimum is 1 character)",
        { Length: > LongestName } => $"name is too long (maximum is {LongestName} characters)",
        "." or ".." => "name is reserved",
        _ => null,
    };

    public static string? DescriptionProblem(string? description) => description switch
    {
        null => null,
        _ when description.Any(char.IsControl) => "description control characters are not allowed",
        _ when description.EnumerateRunes().Count() > LongestDescription =>
            $"description is too long (maximum is {LongestDescription} characters)",
        _ => null,
    };
}
