namespace GitHubSimulator.Repositories;

internal sealed record SimulatedRepository
{
    public required long Id { get; init; }

    public required string Owner { get; init; }

    public required string Name { get; init; }

    public string? Description { get; init; }

    public string? Homepage { get; init; }

    public required bool Private { get; init; }

    /// <summary>Put there through the control API to stand in the way: not made by the client under test.</summary>
    public bool Stranger { get; init; }

    public int OpenIssues { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public string FullName => $"{Owner}/{Name}";
}
