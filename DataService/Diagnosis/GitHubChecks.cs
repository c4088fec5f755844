using System.Globalization;
using DataService.Domain;
using DataService.GitHub;

namespace DataService.Diagnosis;

/// <summary>GitHub, the token and the organisation. What would fail for a reason that was found already is not asked.</summary>
internal sealed class GitHubChecks(TokenInspection inspection, GitHubOptions options, TimeProvider time)
{
    private const string RenewCure = "Make a new fine-grained token (README.md, Pointing it at github.com), set GITHUB_TOKEN and restart the instances.";

    public async Task<List<CheckResponse>> RunAsync(CancellationToken cancellationToken)
    {
        if (options.Token is null)
            return [new CheckResponse("token", CheckStatus.Fail, "GITHUB_TOKEN is not set.", RenewCure)];
        var checks = new List<CheckResponse>();
        var (who, login) = await inspection.WhoAsync(cancellationToken);
        if (who.Skew is { } skew)
            checks.Add(ClockCheck.Of("github-clock", "GitHub's", skew));
        checks.Add(Token(who.Failure, login));
        if (who.Failure?.Kind is not (null or FailureKind.GitHubForbidden))
            return checks;

        checks.Add(Expiry(who.TokenExpires));
        var organization = await inspection.OrganizationAsync(cancellationToken);
        checks.Add(Organization(organization.Failure));
        var last = organization;
        if (organization.Failure is null)
        {
            var (permissions, reply) = await PermissionsAsync(cancellationToken);
            checks.Add(permissions);
            last = reply;
        }

        checks.Add(RateLimit(last));
        return checks;
    }

    private static CheckResponse Token(Failure? failure, string? login) => failure switch
    {
        null => new CheckResponse("token", CheckStatus.Ok, $"GitHub accepts it; it is {login}'s."),
        // GitHub knows it, and its kind may not ask whose it is.
        { Kind: FailureKind.GitHubForbidden } => new CheckResponse("token", CheckStatus.Warn, $"GitHub does not say whose it is: {failure.Text}", "A fine-grained personal access token is expected."),
        { Kind: FailureKind.GitHubUnauthorized } => new CheckResponse("token", CheckStatus.Fail, $"GitHub refuses it ({failure.Text}): it is wrong, expired or revoked.", RenewCure),
        { Kind: FailureKind.GitHubRateLimited } => new CheckResponse(
            "rate-limit", CheckStatus.Fail, $"{failure.Text} {(failure.RetryAt is { } at ? $"Until {at:u}." : "")}".Trim(), "Wait; see who else uses the token."),
        _ => new CheckResponse("github", CheckStatus.Fail, failure.Text, "Look at githubstatus.com, at DNS, at proxies and at GITHUB_API_URL."),
    };

    private CheckResponse Expiry(DateTime? expires)
    {
        if (expires is not { } at)
            return new CheckResponse("token-expiry", CheckStatus.Ok, "It does not expire.");
        var left = at - time.GetUtcNow().UtcDateTime;
        var message = $"It expires in {Math.Max(0, (int)left.TotalDays)} days, at {at:u}.";
        return left > TokenInspection.ShortNotice
            ? new CheckResponse("token-expiry", CheckStatus.Ok, message)
            : new CheckResponse("token-expiry", CheckStatus.Warn, message, RenewCure);
    }

    private CheckResponse Organization(Failure? failure) => failure is null
        ? new CheckResponse("organization", CheckStatus.Ok, $"The token sees {options.Organization}.")
        : new CheckResponse(
            "organization", CheckStatus.Fail, $"The token does not see {options.Organization}: {failure.Text}",
            failure.Kind is FailureKind.GitHubNotFound ? "Correct GITHUB_ORG, or the token's resource owner." : "Mend that on GitHub: the text says what.");

    private async Task<(CheckResponse Check, GitHubReply Reply)> PermissionsAsync(CancellationToken cancellationToken)
    {
        var (reply, repository) = await inspection.AnyRepositoryAsync(cancellationToken);
        if (reply.Failure is { } unlisted)
            return (Unclear(unlisted), reply);
        if (repository is null)
            return (new CheckResponse("permissions", CheckStatus.Ok, "There is no private repository yet to try them on: the first creation shows them."), reply);

        var missing = new List<string>();
        foreach (var (name, ask) in new (string, Func<string, CancellationToken, Task<GitHubReply>>)[]
        {
            ("Administration", inspection.AdministrationAsync), ("Issues", inspection.IssuesAsync), ("Contents", inspection.ContentsAsync),
        })
        {
            reply = await ask(repository, cancellationToken);
            if (reply.Failure is { Kind: FailureKind.GitHubForbidden } refused)
                missing.Add($"{name} ({refused.Text})");
            // Hidden, or turned off in this one repository: that tells nothing of the token.
            else if (reply.Failure is { Kind: not FailureKind.GitHubNotFound } failed)
                return (Unclear(failed), reply);
        }

        return missing is []
            ? (new CheckResponse("permissions", CheckStatus.Ok, $"It reads administration, issues and contents of {repository}; whether it may write shows with the first creation."), reply)
            : (new CheckResponse(
                "permissions", CheckStatus.Fail, $"It lacks {string.Join(", ", missing)}.",
                "Give the token Administration, Issues and Contents, each read and write, for all repositories of the organisation."), reply);
    }

    private static CheckResponse Unclear(Failure failure) =>
        new("permissions", CheckStatus.Warn, $"They could not be tried: {failure.Text}", "Look again later; if it stays, look at the token's repository access.");

    private static CheckResponse RateLimit(GitHubReply reply)
    {
        if (reply.Limit is not { } limit)
            return new CheckResponse("rate-limit", CheckStatus.Ok, "GitHub tells none.");
        var message = $"{Number(limit.Remaining)} of {Number(limit.Limit)} calls are left until {limit.Reset.UtcDateTime:u}.";
        return limit.Remaining >= limit.Limit / 10
            ? new CheckResponse("rate-limit", CheckStatus.Ok, message)
            : new CheckResponse("rate-limit", limit.Remaining is 0 ? CheckStatus.Fail : CheckStatus.Warn, message, "Wait; see who else uses the token.");
    }

    private static string Number(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
