using System.Globalization;
using GitHubSimulator.Limits;
using GitHubSimulator.Repositories;

namespace GitHubSimulator.Api;

internal static class IssueEndpoints
{
    private const int LongestTitle = 256;
    private const int LongestBody = 65536;

    public static void MapIssues(this IEndpointRouteBuilder api)
    {
        foreach (var place in RepositoryEndpoints.Places)
        {
            api.MapPost($"{place}/issues", Create).WithMetadata(new CreatesContent(), new NeedsPermission("issues", Access.Write));
            api.MapGet($"{place}/issues", List).WithMetadata(new NeedsPermission("issues", Access.Read));
            api.MapGet($"{place}/issues/{{number:int}}", Get).WithMetadata(new NeedsPermission("issues", Access.Read));
            api.MapPatch($"{place}/issues/{{number:int}}", Update).WithMetadata(new NeedsPermission("issues", Access.Write));
        }
    }

    private static GitHubAnswer Create(ApiCall call)
    {
        var (repository, refusal) = call.FindRepository();
        if (repository is null)
            return refusal!;

        var body = call.ReadBody();
        var title = body.RequiredText("title");
        var text = body.Text("body");
        if (body.Refusal is { } invalid)
            return invalid;
        if (Problem(title, text) is { } problem)
            return problem;

        return call.State.Repositories.CreateIssue(repository.Id, title, text) is { } issue
            ? GitHubAnswer.Json(201, IssueBody.Of(call, repository, issue)).With("Location", IssueBody.Url(call, repository, issue.Number))
            : Answers.NotFound();
    }

    private static GitHubAnswer List(ApiCall call)
    {
        var (repository, refusal) = call.FindRepository();
        if (repository is null)
            return refusal!;

        IEnumerable<SimulatedIssue> issues = call.State.Repositories.Issues(repository.Id);
        issues = call.Query["state"].ToString() switch
        {
            "all" => issues,
            "closed" => issues.Where(issue => !issue.IsOpen),
            _ => issues.Where(issue => issue.IsOpen),
        };
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal;
        if (DateTimeOffset.TryParse(call.Query["since"], CultureInfo.InvariantCulture, Utc, out var since))
            issues = issues.Where(issue => issue.UpdatedAt >= since);
        var sorted = call.Query["sort"] == "updated"
            ? issues.OrderBy(issue => issue.UpdatedAt).ThenBy(issue => issue.Number)
            : issues.OrderBy(issue => issue.Number);
        var ordered = call.Query["direction"] == "asc" ? sorted : sorted.Reverse();
        return Paging.Answer(call, ordered, issue => IssueBody.Of(call, repository, issue));
    }

    private static GitHubAnswer Get(ApiCall call, int number)
    {
        var (repository, issue, refusal) = Find(call, number);
        return issue is null ? refusal! : GitHubAnswer.Json(200, IssueBody.Of(call, repository!, issue));
    }

    private static GitHubAnswer Update(ApiCall call, int number)
    {
        var (repository, issue, refusal) = Find(call, number);
        if (issue is null)
            return refusal!;

        var body = call.ReadBody();
        var title = body.Text("title") ?? issue.Title;
        var text = body.Has("body") ? body.Text("body") : issue.Body;
        var state = body.Text("state");
        var reason = body.Text("state_reason");
        if (body.Refusal is { } invalid)
            return invalid;
        if (state is not (null or "open" or "closed"))
            return Answers.InvalidIssue("state", "state must be open or closed");
        if (Problem(title, text) is { } problem)
            return problem;

        var now = call.State.Time.GetUtcNow();
        SimulatedIssue Change(SimulatedIssue before)
        {
            var after = before with { Title = title, Body = text };
            return (state, before.IsOpen) switch
            {
                ("closed", true) => after with { ClosedAt = now, StateReason = reason ?? "completed" },
                ("open", false) => after with { ClosedAt = null, StateReason = "reopened" },
                _ => after,
            };
        }

        return call.State.Repositories.UpdateIssue(repository!.Id, number, Change) is { } changed
            ? GitHubAnswer.Json(200, IssueBody.Of(call, repository, changed))
            : Answers.NotFound();
    }

    private static (SimulatedRepository? Repository, SimulatedIssue? Issue, GitHubAnswer? Refusal) Find(ApiCall call, int number)
    {
        var (repository, refusal) = call.FindRepository();
        if (repository is null)
            return (null, null, refusal);

        return call.State.Repositories.FindIssue(repository.Id, number) switch
        {
            null => (repository, null, Answers.NotFound()),
            { Deleted: true } => (repository, null, Answers.IssueDeleted()),
            { TransferredTo: { } place } => (repository, null, call.State.Repositories.Find(place.RepositoryId) is not null
                ? Answers.Moved($"{call.Root}/repositories/{place.RepositoryId}/issues/{place.Number}", call.IsGet)
                : Answers.NotFound()),
            var issue => (repository, issue, null),
        };
    }

    private static GitHubAnswer? Problem(string title, string? body) => (title, body) switch
    {
        _ when string.IsNullOrWhiteSpace(title) => Answers.MissingInIssue("title"),
        _ when title.EnumerateRunes().Count() > LongestTitle =>
            Answers.InvalidIssue("title", $"title is too long (maximum is {LongestTitle} characters)"),
        (_, { Length: > LongestBody }) => Answers.InvalidIssue("body", $"body is too long (maximum is {LongestBody} characters)"),
        _ => null,
    };
}
