using DataService.Domain;
using DataService.Jobs.Requeue;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>What an operator does about a failure, in a line. The longer story of each code: docs/job-lifecycle.md.</summary>
internal static class Cures
{
    /// <param name="code">Of <see cref="CreationFilter.AllCodes"/>.</param>
    public static string Of(string? code) => code is null or CreationFilter.NoCode
        ? "The job was deleted in the dashboard. Re-run these where a repository is still wanted."
        : Of(FailureKinds.FromCode(code));

    public static string Of(FailureKind kind) => kind switch
    {
        FailureKind.GitHubTokenMissing => "No GITHUB_TOKEN is configured. Set it, restart all instances, then re-run these.",
        FailureKind.GitHubUnauthorized => "The token is wrong, expired or revoked. Make a new one, restart all instances with it, then re-run these.",
        FailureKind.GitHubForbidden =>
            "The token lacks a right that GitHub's text names: mostly Administration: write, or SSO. Grant it or renew the token, then re-run these.",
        FailureKind.GitHubNotFound =>
            "GITHUB_ORG does not exist, or the token cannot see it. Correct the name or the token's resource owner, then re-run these.",
        FailureKind.GitHubRepoNameTaken => "Someone else holds the slug and the suffixed name. Re-run these for a new suffix, or choose a repository by hand.",
        FailureKind.GitHubValidation =>
            "GitHub refuses for the reason in its text, such as the plan's limit on private repositories. Remove it, then re-run these.",
        FailureKind.GitHubRateLimited =>
            "GitHub limited the token for longer than all retries took. See who else uses it, lower GitHub__ContentBudget, then re-run these.",
        FailureKind.GitHubUnavailable => "GitHub could not be reached, or failed, for about a day. Check githubstatus.com, DNS and the proxy, then re-run these.",
        FailureKind.Internal => "A fault of the service or of its database. The log has the exception beside the slug; once it is mended, re-run these.",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
