using DataService.Data;
using DataService.Http;
using DataService.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.RepoCreations;

internal static class RepoCreationsEndpoints
{
    public static void MapRepoCreations(this IEndpointRouteBuilder app) =>
        app.MapPost("/projects/{slug}/repo-creation", RequeueAsync).WithTags("Repository creations").WithName("requeueRepoCreation")
            .WithSummary("Run the creation of the project's repository, again or for the first time")
            .ProducesProblems(ErrorCode.NotFound, ErrorCode.InvalidState);

    private static async Task<Results<Accepted<RepoCreationResponse>, ProblemHttpResult>> RequeueAsync(
        string slug, DataServiceDbContext db, JobTransaction transaction, RepoCreationQueue queue, CancellationToken cancellationToken)
    {
        var creation = await transaction.ExecuteAsync(
            async (jobs, token) => await db.LockProjectAsync(slug, token) is { } project ? queue.Requeue(project, jobs) : null,
            cancellationToken);
        return creation is null ? Problems.NoSuchProject(slug) : TypedResults.Accepted($"/projects/{slug}", RepoCreationResponse.From(creation));
    }
}
