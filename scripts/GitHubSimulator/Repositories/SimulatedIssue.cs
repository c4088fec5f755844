namespace GitHubSimulator.Repositories;

internal sealed record SimulatedIssue
{
    public required long Id { get; init; }

    public required int Number { get; init; }

    public required string Title { get; init; }

    public string? Body { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public DateTimeOffset? ClosedAt { get; init; }

    public string? StateReason { get; init; }

    public bool Deleted { get; init; }

    public IssuePlace? TransferredTo { get; init; }

    public bool IsOpen => ClosedAt is null;

    public bool IsHere => !Deleted && TransferredTo is null;
}

internal sealed record IssuePlace(long RepositoryId, int Number);
