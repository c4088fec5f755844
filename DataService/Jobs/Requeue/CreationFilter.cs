using DataService.Domain;

namespace DataService.Jobs.Requeue;

/// <summary>Which creations are meant. An empty list leaves its kind open.</summary>
internal sealed record CreationFilter
{
    /// <summary>Stands for a failure without a code: its job was deleted in the dashboard.</summary>
    public const string NoCode = "NONE";

    /// <summary>What a re-run may be asked for; the others are not at rest, or have come to their end.</summary>
    public static readonly IReadOnlyList<RepoCreationState> Requeueable = [RepoCreationState.Failed, RepoCreationState.Retrying];

    /// <summary>All codes that a failure may have, and <see cref="NoCode"/>.</summary>
    public static readonly IReadOnlyList<string> AllCodes = [.. Enum.GetValues<FailureKind>().Select(kind => kind.Code), NoCode];

    public IReadOnlyList<RepoCreationState> States { get; init; } = [];

    /// <summary>Of <see cref="AllCodes"/>. Only failed and retrying creations have one.</summary>
    public IReadOnlyList<string> Codes { get; init; } = [];

    public IReadOnlyList<string> Slugs { get; init; } = [];

    /// <summary>Last changed then or later; UTC.</summary>
    public DateTime? Since { get; init; }

    /// <summary>Last changed before; UTC.</summary>
    public DateTime? Until { get; init; }

    /// <summary>A part of the slug, of the project's name or of GitHub's text, in upper or lower case.</summary>
    public string? Text { get; init; }

    /// <summary>For people, such as "failed, GITHUB_FORBIDDEN, before 2026-01-05 09:30:00Z".</summary>
    public override string ToString() => string.Join(", ", ((string?[])
    [
        States is [] ? null : string.Join(" or ", States).ToLowerInvariant(), Codes is [] ? null : string.Join(" or ", Codes),
        Slugs is [] ? null : Slugs is [var slug] ? slug : $"{Slugs.Count} projects", Since is { } since ? $"since {since:u}" : null,
        Until is { } until ? $"before {until:u}" : null, Text is null ? null : $"with '{Text}'",
    ]).OfType<string>());
}
