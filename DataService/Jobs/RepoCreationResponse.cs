using DataService.Domain;
using DataService.Http;

namespace DataService.Jobs;

/// <summary>A creation as the REST contract shows it, alone and inside its project.</summary>
/// <param name="State">Where it stands.</param>
/// <param name="JobId">Hangfire's.</param>
/// <param name="Attempts">Executions so far.</param>
/// <param name="ErrorCode">Of the last failure.</param>
/// <param name="GithubStatus">GitHub's HTTP status.</param>
/// <param name="GithubError">GitHub's own text.</param>
/// <param name="NextAttemptAt">When it goes on by itself.</param>
/// <param name="WaitsFor">Why a live one lets time pass: <c>budget</c> for its turn to create, <c>resume</c> for the end of a pause.</param>
/// <param name="UpdatedAt">When it last changed.</param>
internal sealed record RepoCreationResponse(
    RepoCreationState State, string? JobId, int Attempts, string? ErrorCode, int? GithubStatus, string? GithubError, DateTime? NextAttemptAt, WaitReason? WaitsFor,
    DateTime UpdatedAt) : IWithExample
{
    public static object Example => new RepoCreationResponse(
        RepoCreationState.Created, "42", 1, null, null, null, null, null, new DateTime(2026, 1, 5, 9, 30, 2, DateTimeKind.Utc));

    public static RepoCreationResponse From(RepoCreation creation) => new(
        creation.State, creation.JobId, creation.Attempts, creation.ErrorCode?.Code, creation.GithubStatus, creation.GithubError, creation.NextAttemptAt, creation.WaitsFor,
        creation.UpdatedAt);
}
