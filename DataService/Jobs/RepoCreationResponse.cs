using DataService.Domain;
using DataService.Http;

namespace DataService.Jobs;

/// <summary>A creation as the REST contract shows it, alone and inside its project.</summary>
internal sealed record RepoCreationResponse(
    RepoCreationState State, string? JobId, int Attempts, string? ErrorCode, int? GithubStatus, string? GithubError, DateTime? NextAttemptAt, DateTime UpdatedAt)
    : IWithExample
{
    public static object Example => new RepoCreationResponse(
        RepoCreationState.Created, "42", 1, null, null, null, null, new DateTime(2026, 1, 5, 9, 30, 2, DateTimeKind.Utc));

    public static RepoCreationResponse From(RepoCreation creation) => new(
        creation.State, creation.JobId, creation.Attempts, creation.ErrorCode?.Code, creation.GithubStatus, creation.GithubError, creation.NextAttemptAt, creation.UpdatedAt);
}
