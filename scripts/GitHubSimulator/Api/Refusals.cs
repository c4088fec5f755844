using System.Text;
using GitHubSimulator.Faults;

namespace GitHubSimulator.Api;

/// <summary>The answers of faults that refuse.</summary>
internal static class Refusals
{
    public static GitHubAnswer Answer(FaultRule rule)
    {
        var (status, message) = rule.Preset is { } preset ? Texts(preset) : (rule.Status!.Value, $"Refused with status {rule.Status}");
        (status, message) = (rule.Status ?? status, rule.Message ?? message);
        return rule.Preset switch
        {
            RefusalPreset.NameTaken => Answers.NameTaken(),
            RefusalPreset.Validation => Answers.InvalidRepository("name", message),
            RefusalPreset.Permission => Answers.Error(status, message).With("X-Accepted-GitHub-Permissions", "administration=write"),
            RefusalPreset.Sso => Answers.Error(status, message)
                .With("X-GitHub-SSO", "required; url=https://github.com/orgs/example/sso?authorization_request=simulated"),
            RefusalPreset.Unavailable451 => GitHubAnswer.Json(status, new
            {
                Message = message,
                Block = new { Reason = "dmca", CreatedAt = "2024-01-01T00:00:00Z", HtmlUrl = "https://github.com/github/dmca" },
            }),
            _ when status is 204 or 205 or 304 => GitHubAnswer.Text(status, "application/json; charset=utf-8", ""),
            _ => Answers.Error(status, message),
        };
    }

    public static GitHubAnswer WithBody(GitHubAnswer answer, string body) =>
        answer.WithBody(Encoding.UTF8.GetBytes(body), body.TrimStart() is ['{' or '[', ..] ? null : "text/html; charset=utf-8");

    public static GitHubAnswer Unicorn(int status) => GitHubAnswer.Text(status, "text/html; charset=utf-8", """
        <!DOCTYPE html>
        <html>
          <head><title>Unicorn! &middot; GitHub</title></head>
          <body>
            <p><strong>We couldn't respond to your request in time.</strong></p>
            <p>Sorry about that. Please try refreshing and contact us if the problem persists.</p>
          </body>
        </html>
        """);

    public static GitHubAnswer ProxyPage(int status) => GitHubAnswer.Text(status, "text/html; charset=utf-8", """
        <!DOCTYPE html>
        <html><head><title>Sign in to the network</title></head><body><h1>Please sign in to use this network</h1></body></html>
        """);

    private static (int Status, string Message) Texts(RefusalPreset preset) => preset switch
    {
        RefusalPreset.BadCredentials => (401, "Bad credentials"),
        RefusalPreset.Permission => (403, "Resource not accessible by personal access token"),
        RefusalPreset.NotAdmin => (403, "You need admin access to the organization before adding a repository to it."),
        RefusalPreset.Sso => (403,
            "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization."),
        RefusalPreset.TokenLifetime => (403,
            "The 'example' organization forbids access via a fine-grained personal access tokens if the token's lifetime is greater than "
            + "366 days. Please adjust your token's lifetime at the following URL: https://github.com/settings/personal-access-tokens/1"),
        RefusalPreset.PlanLimit => (422,
            "Visibility can't be private. Please upgrade your subscription to create a new private repository."),
        RefusalPreset.Validation => (422, "name is not allowed on this account"),
        RefusalPreset.NameTaken => (422, "name already exists on this account"),
        RefusalPreset.OrgNotFound => (404, "Not Found"),
        RefusalPreset.Unavailable451 => (451, "Repository access blocked"),
        _ => (410, "This resource is gone"),
    };
}
