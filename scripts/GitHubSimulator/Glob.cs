using System.IO.Enumeration;

namespace GitHubSimulator;

/// <summary>Patterns with * and ?, compared without case.</summary>
internal static class Glob
{
    public static bool Matches(string pattern, string text) => FileSystemName.MatchesSimpleExpression(pattern, text);

    /// <summary>Segment by segment, so that /repos/*/* is a repository and not its issues; a last segment of ** takes any rest.</summary>
    public static bool MatchesPath(string pattern, string path)
    {
        var patterns = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var open = patterns is [.., "**"];
        var named = open ? patterns.Length - 1 : patterns.Length;
        return (open ? segments.Length >= named : segments.Length == named)
            && Enumerable.Range(0, named).All(index => Matches(patterns[index], segments[index]));
    }
}
