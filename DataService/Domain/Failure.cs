namespace DataService.Domain;

/// <summary>One classified failure, fit to be shown to users and operators.</summary>
/// <param name="Kind">Decides whether it is retried.</param>
/// <param name="GithubStatus">GitHub's HTTP status; null where there was no answer.</param>
/// <param name="Text">GitHub's own text, or ours where GitHub gave none. Never holds a secret.</param>
/// <param name="RetryAt">UTC; the time before which GitHub asked not to be called again; null where it stated none.</param>
internal sealed record Failure(FailureKind Kind, int? GithubStatus, string Text, DateTime? RetryAt = null)
{
    /// <summary>Known without asking GitHub.</summary>
    public static readonly Failure TokenMissing = new(FailureKind.GitHubTokenMissing, null, "No GITHUB_TOKEN is configured.");

    /// <summary>Two strangers hold the names.</summary>
    public static readonly Failure NameTaken = new(FailureKind.GitHubRepoNameTaken, 422, "Both the slug and the suffixed name belong to someone else.");
}
