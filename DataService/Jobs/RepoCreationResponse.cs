using DataService.Domain;

namespace DataService.Jobs;

/// <summary>A creation as the REST contract shows it, alone and inside its project.</summary>
internal sealed record RepoCreationResponse(
    RepoCreationState State, string? JobId, int Attempts, string? ErrorCode, int? GithubStatus, string? GithubError, DateTime? NextAttemptAt, DateTime UpdatedAt)
{
    public static RepoCreationResponse From(RepoCreation creation) => new(
        creation.State, creation.JobId, creation.Attempts, creation.ErrorCode?.Code, creation.GithubStatus, creation.GithubError, creation.NextAttemptAt, creation.UpdatedAt);
}
