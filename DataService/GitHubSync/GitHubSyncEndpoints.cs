using DataService.GitHub;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.GitHubSync;

internal static class GitHubSyncEndpoints
{
    public static void MapGitHubSync(this IEndpointRouteBuilder app)
    {
        var gitHub = app.MapGroup("/github").WithTags("GitHub");
        gitHub.MapGet("/repos", ListRepositoriesAsync).WithSummary("List every repository that the token can see, by name");
        gitHub.MapPost("/projects/{slug}/push", PushTasks.HandleAsync).WithSummary("Write a GitHub issue for each task that has none")
            .Produces<TaskResponse[]>(StatusCodes.Status202Accepted);
        gitHub.MapPost("/projects/{slug}/sync", SyncTasks.HandleAsync).WithSummary("Take the tasks' status from their GitHub issues")
            .AllowAnonymous().RequireRateLimiting(RateLimits.Public);
    }

    private static async Task<Ok<IReadOnlyList<GitHubRepository>>> ListRepositoriesAsync(RepositoryCatalog catalog, CancellationToken cancellationToken) =>
        TypedResults.Ok(await catalog.ListAsync(cancellationToken));
}
