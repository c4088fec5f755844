using System.Text.RegularExpressions;

namespace DataService.GitHub;

/// <summary>What tells in a repository's description whose repository it is.</summary>
internal static partial class ProjectMark
{
    public static string Of(Guid projectId) => $"[dataservice:{projectId:D}]";

    /// <summary>The project that the description names; null where it names none.</summary>
    public static Guid? Find(string? description) =>
        description is not null && Pattern().Match(description) is { Success: true } match && Guid.TryParse(match.Groups["id"].ValueSpan, out var id) ? id : null;

    [GeneratedRegex(@"\[dataservice:(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\]", RegexOptions.RightToLeft)]
    private static partial Regex Pattern();
}
