using GitHubSimulator.Limits;
using GitHubSimulator.Repositories;

namespace GitHubSimulator.Api;

internal static class RepositoryEndpoints
{
    /// <summary>A repository answers by its name and, where a redirect after a rename leads, by its id.</summary>
    public static readonly string[] Places = ["/repos/{owner}/{repo}", "/repositories/{id:long}"];

    public static void MapRepositories(this IEndpointRouteBuilder api)
    {
        api.MapPost("/orgs/{org}/repos", Create).WithMetadata(new CreatesContent(), new NeedsPermission("administration", Access.Write));
        api.MapGet("/orgs/{org}/repos", ListOfOrg);
        api.MapGet("/user/repos", (ApiCall call) => List(call, "full_name"));
        foreach (var place in Places)
        {
            api.MapGet(place, Get);
            api.MapPatch(place, Update).WithMetadata(new NeedsPermission("administration", Access.Write));
            api.MapDelete(place, Delete).WithMetadata(new NeedsPermission("administration", Access.Write));
            api.MapGet($"{place}/keys", Empty).WithMetadata(new NeedsPermission("administration", Access.Read));
            api.MapGet($"{place}/branches", Empty).WithMetadata(new NeedsPermission("contents", Access.Read));
        }
    }

    private static GitHubAnswer Create(ApiCall call, string org)
    {
        if (!IsOrg(call, org))
            return Answers.NotFound();

        var body = call.ReadBody();
        var name = RepositoryName.Sanitise(body.RequiredText("name"));
        var description = body.Text("description");
        var homepage = body.Text("homepage");
        var isPrivate = IsPrivate(body);
        if (body.Refusal is { } refusal)
            return refusal;
        if (RepositoryName.Problem(name) is { } problem)
            return Answers.InvalidRepository("name", problem);
        if (RepositoryName.DescriptionProblem(description) is { } descriptionProblem)
            return Answers.InvalidRepository("description", descriptionProblem);

        return call.State.Repositories.Create(call.State.Options.Org, name, isPrivate ?? false, description, homepage) is { } repository
            ? GitHubAnswer.Json(201, RepositoryBody.Of(call, repository)).With("Location", RepositoryBody.Url(call, repository))
            : Answers.NameTaken();
    }

    private static GitHubAnswer Get(ApiCall call) => call.FindRepository() switch
    {
        ({ } repository, _) => GitHubAnswer.Json(200, RepositoryBody.Of(call, repository)),
        (_, var refusal) => refusal!,
    };

    private static GitHubAnswer Update(ApiCall call)
    {
        const string Failed = "Validation Failed";
        var (repository, refusal) = call.FindRepository();
        if (repository is null)
            return refusal!;

        var body = call.ReadBody();
        var name = body.Text("name") is { } asked ? RepositoryName.Sanitise(asked) : repository.Name;
        var description = body.Has("description") ? body.Text("description") : repository.Description;
        var homepage = body.Has("homepage") ? body.Text("homepage") : repository.Homepage;
        var isPrivate = IsPrivate(body) ?? repository.Private;
        if (body.Refusal is { } invalid)
            return invalid;
        if (RepositoryName.Problem(name) is { } problem)
            return Answers.InvalidRepository("name", problem, Failed);
        if (RepositoryName.DescriptionProblem(description) is { } descriptionProblem)
            return Answers.InvalidRepository("description", descriptionProblem, Failed);

        SimulatedRepository Change(SimulatedRepository before) =>
            before with { Name = name, Description = description, Homepage = homepage, Private = isPrivate };
        return call.State.Repositories.Update(repository.Id, Change) is { } changed
            ? GitHubAnswer.Json(200, RepositoryBody.Of(call, changed))
            : Answers.NameTaken(Failed);
    }

    private static GitHubAnswer Delete(ApiCall call)
    {
        var (repository, refusal) = call.FindRepository();
        if (repository is null)
            return refusal!;

        call.State.Repositories.Delete(repository.Id);
        return GitHubAnswer.NoContent();
    }

    /// <summary>New repositories are empty, and nothing here fills them.</summary>
    private static GitHubAnswer Empty(ApiCall call) => call.FindRepository() switch
    {
        ({ }, _) => GitHubAnswer.Json(200, Array.Empty<object>()),
        (_, var refusal) => refusal!,
    };

    private static GitHubAnswer ListOfOrg(ApiCall call, string org) => IsOrg(call, org) ? List(call, "created") : Answers.NotFound();

    private static GitHubAnswer List(ApiCall call, string defaultSort)
    {
        var sort = call.Query["sort"].ToString() is { Length: > 0 } asked ? asked : defaultSort;
        var all = call.State.Repositories.All.Where(repository => call.Query["type"].ToString() switch
        {
            "private" => repository.Private,
            "public" => !repository.Private,
            _ => true,
        });
        var sorted = sort switch
        {
            "full_name" => all.OrderBy(repository => repository.FullName, StringComparer.OrdinalIgnoreCase),
            "updated" => all.OrderBy(repository => repository.UpdatedAt).ThenBy(repository => repository.Id),
            _ => all.OrderBy(repository => repository.Id),
        };
        var descending = call.Query["direction"].ToString() is { Length: > 0 } direction ? direction == "desc" : sort != "full_name";
        return Paging.Answer(call, descending ? sorted.Reverse() : sorted, repository => RepositoryBody.Of(call, repository));
    }

    private static bool IsOrg(ApiCall call, string org) => org.Equals(call.State.Options.Org, StringComparison.OrdinalIgnoreCase);

    private static bool? IsPrivate(JsonBody body) => body.Text("visibility") switch
    {
        null => body.Flag("private"),
        var visibility => visibility is "private" or "internal",
    };
}
