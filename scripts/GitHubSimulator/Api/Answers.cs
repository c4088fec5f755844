namespace GitHubSimulator.Api;

/// <summary>GitHub's refusals, word for word.</summary>
internal static class Answers
{
    private const string Documentation = "https://docs.github.com/rest";

    public static GitHubAnswer Error(int status, string message, string documentation = Documentation) =>
        GitHubAnswer.Json(status, new { Message = message, DocumentationUrl = documentation, Status = $"{status}" });

    public static GitHubAnswer NotFound() => Error(404, "Not Found");

    public static GitHubAnswer BadCredentials() => Error(401, "Bad credentials");

    public static GitHubAnswer InvalidRequest(string problem) => Error(422, $"Invalid request.\n\n{problem}");

    /// <summary>A value that a repository cannot have.</summary>
    public static GitHubAnswer InvalidRepository(string field, string problem, string message = "Repository creation failed.") =>
        Invalid(message, new { Resource = "Repository", Code = "custom", Field = field, Message = problem });

    public static GitHubAnswer InvalidIssue(string field, string problem) =>
        Invalid("Validation Failed", new { Resource = "Issue", Code = "custom", Field = field, Message = problem });

    public static GitHubAnswer MissingInIssue(string field) =>
        Invalid("Validation Failed", new { Resource = "Issue", Code = "missing_field", Field = field });

    public static GitHubAnswer NameTaken(string message = "Repository creation failed.") =>
        InvalidRepository("name", "name already exists on this account", message);

    /// <summary>Unless told, 301 for a GET and 307 for a call that must keep its method and body.</summary>
    public static GitHubAnswer Moved(string location, bool isGet, int? status = null)
    {
        var message = isGet ? "Moved Permanently" : "Temporary Redirect";
        var documentation = $"{Documentation}/guides/best-practices-for-using-the-rest-api#follow-redirects";
        return GitHubAnswer
            .Json(status ?? (isGet ? 301 : 307), new { Message = message, Url = location, DocumentationUrl = documentation })
            .With("Location", location);
    }

    public static GitHubAnswer IssueDeleted() => Error(410, "This issue was deleted", $"{Documentation}/issues/issues#get-an-issue");

    public static GitHubAnswer PrimaryLimit(int status = 403) => Error(
        status, "API rate limit exceeded for user ID 1.", $"{Documentation}/overview/rate-limits-for-the-rest-api");

    public static GitHubAnswer SecondaryLimit(int status = 403) => Error(
        status,
        "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. "
        + "Please retry your request again later.",
        $"{Documentation}/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits");

    public static GitHubAnswer Abuse() => Error(
        403,
        "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.",
        $"{Documentation}/overview/resources-in-the-rest-api#abuse-rate-limits");

    private static GitHubAnswer Invalid(string message, object error) =>
        GitHubAnswer.Json(422, new { Message = message, Errors = new[] { error }, DocumentationUrl = Documentation, Status = "422" });
}
