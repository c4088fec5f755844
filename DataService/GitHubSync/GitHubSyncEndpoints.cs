using DataService.Domain;
using DataService.GitHub;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.GitHubSync;

internal sealed record GithubRepoResponse(string FullName, string DefaultBranch, bool Private) : IWithExample
{
    static object IWithExample.Example => new GithubRepoResponse("auditmos-projects/acme-shop", "main", true);
}

internal static class GitHubSyncEndpoints
{
    public static void MapGitHubSync(this IEndpointRouteBuilder app)
    {
        var gitHub = app.MapGroup("/github").WithTags("GitHub");
        gitHub.MapGet("/repos", ListRepositoriesAsync).WithName("listRepositories").WithSummary("List every repository that the token can see, by name")
            .ProducesProblems(GitHubFailures);
        gitHub.MapPost("/projects/{slug}/push", PushTasks.HandleAsync).WithName("pushTasks").WithSummary("Write a GitHub issue for each task that has none")
            .WithDescription("Safe to repeat: a task gets one issue. GitHub takes about one a second, so more than 25 go on after an answer of 202.")
            .ProducesProblems([ErrorCode.NotFound, ErrorCode.NoGitHubRepo, .. GitHubFailures]);
        gitHub.MapPost("/projects/{slug}/sync", SyncTasks.HandleAsync).WithName("syncTasks").WithSummary("Take the tasks' status from their GitHub issues")
            .WithDescription("GitHub is asked at most once in 30 s; in between, and when it fails, the answer is what is known.")
            .ProducesProblems(ErrorCode.NotFound).AllowAnonymous().RequireRateLimiting(RateLimits.Public);
    }

    private static string[] GitHubFailures =>
    [
        .. Enum.GetValues<FailureKind>().Where(kind => kind is not (FailureKind.Internal or FailureKind.GitHubRepoNameTaken)).Select(kind => kind.Code),
    ];

    private static async Task<Ok<IReadOnlyList<GithubRepoResponse>>> ListRepositoriesAsync(RepositoryCatalog catalog, CancellationToken cancellationToken)
    {
        var repositories = await catalog.ListAsync(cancellationToken);
        return TypedResults.Ok<IReadOnlyList<GithubRepoResponse>>([.. repositories.Select(r => new GithubRepoResponse(r.FullName, r.DefaultBranch, r.Private))]);
    }
}
