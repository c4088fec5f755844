using DataService.Domain;
using DataService.Jobs;
using Hangfire.Common;
using Hangfire.States;

namespace DataService.Benchmarks.Seeding;

/// <summary>A way to fail.</summary>
/// <param name="Share">Of all failures; all shares make one.</param>
/// <param name="Failure">Null where the job was deleted in the dashboard.</param>
/// <param name="Text">What the row says.</param>
internal sealed record SeededFailure(double Share, Failure? Failure, string Text)
{
    /// <summary>Stands for the project's slug in the data of a state.</summary>
    public const string Slug = "{slug}";

    public static readonly IReadOnlyList<SeededFailure> All =
    [
        Of(0.30, FailureKind.GitHubForbidden, 403, "Resource not accessible by personal access token (needs administration=write)"),
        Of(0.15, FailureKind.GitHubForbidden, 403, "Resource protected by organization SAML enforcement. You must grant your token access to this organization."),
        Of(0.20, FailureKind.GitHubUnauthorized, 401, "Bad credentials"),
        Of(0.15, FailureKind.GitHubUnavailable, 502, "GitHub answered 502 without a reason."),
        Of(0.10, FailureKind.GitHubValidation, 422, "Repository creation failed. You have reached the limit of repositories of this organization."),
        Of(0.05, FailureKind.GitHubRepoNameTaken, 422, "Both the slug and the suffixed name belong to someone else."),
        Of(0.03, FailureKind.Internal, null, "The service itself failed; its log has the details."),
        Of(0.01, FailureKind.GitHubNotFound, 404, "Not Found"),
        new(0.01, null, "The job was deleted in the dashboard."),
    ];

    /// <summary>The last state of the job, and its data as Hangfire's own class writes them.</summary>
    public (string Name, string StateData) State
    {
        get
        {
            IState state = Failure is null ? new DeletedState() : new FailedState(new JobFailedException(Slug, Failure, null));
            return (state.Name, SerializationHelper.Serialize(state.SerializeData()));
        }
    }

    /// <summary>The automatic retries that came before.</summary>
    public int Retries => Failure is { Kind.IsTransient: true } ? 5 : 0;

    private static SeededFailure Of(double share, FailureKind kind, int? status, string text) => new(share, new Failure(kind, status, text), text);
}
