namespace DataService.GitHub;

/// <summary>
/// Of what GitHub tells of a repository, what is read here. For each property of its own class Octokit compiles a getter and a setter,
/// and fills a hundred of them for each repository of a list.
/// </summary>
internal sealed class RepositoryAnswer
{
    public long Id { get; init; }

    public string? Name { get; init; }

    /// <summary><c>owner/name</c>.</summary>
    public string FullName { get; init; } = "";

    public string? Description { get; init; }

    public string DefaultBranch { get; init; } = "";

    public bool Private { get; init; }

    public OwnerAnswer? Owner { get; init; }

    internal sealed class OwnerAnswer
    {
        public string? Login { get; init; }
    }
}
