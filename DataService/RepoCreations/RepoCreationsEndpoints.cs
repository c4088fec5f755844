using DataService.Http;
using DataService.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.RepoCreations;

internal static class RepoCreationsEndpoints
{
    private const string Tag = "Repository creations";

    public static void MapRepoCreations(this IEndpointRouteBuilder app)
    {
        app.MapPost("/projects/{slug}/repo-creation", RequeueAsync).WithTags(Tag).WithName("requeueRepoCreation")
            .WithSummary("Run the creation of the project's repository, again or for the first time")
            .ProducesProblems(ErrorCode.NotFound, ErrorCode.InvalidState);

        var creations = app.MapGroup("/repo-creations").WithTags(Tag);
        creations.MapQuery("", ListRepoCreations.HandleAsync).WithName("listRepoCreations")
            .WithSummary("List creations by state, code and time, last changed first");
        creations.MapPost("/requeue", RequeueMany.RequeueAsync).WithName("requeueRepoCreations")
            .WithSummary("Run creations again that failed, or bring their retries forward: one batch")
            .WithDescription("Call again, with the first answer's until, while something remains. Nothing is enqueued twice, whoever calls at the same time. "
                + "A dry run counts what would be requeued, and changes nothing.");
        creations.MapPost("/enqueue-missing", RequeueMany.EnqueueMissingAsync).WithName("enqueueMissingRepoCreations")
            .WithSummary("Enqueue a job for approved projects that have no repository and no live job: one batch")
            .WithDescription("Call again while something remains. Failures that have a code are left to requeue.");
        creations.MapGet("/status", PauseCreation.StatusAsync).WithName("getCreationStatus")
            .WithSummary("Whether repositories are created now, and what is left of the budget");
        creations.MapPost("/pause", PauseCreation.PauseAsync).WithName("pauseCreation")
            .WithSummary("Let every creation wait, on all instances").WithDescription("Approvals go on. A pause that is there already stays as it is.");
        creations.MapPost("/resume", PauseCreation.ResumeAsync).WithName("resumeCreation")
            .WithSummary("End the pause, whoever made it, and wake what waited for that");
        creations.MapPost("/reconcile", Reconcile.RunAsync).WithName("reconcile")
            .WithSummary("Compare projects, jobs and GitHub, and mend what differs")
            .WithDescription("A dry run unless told otherwise. The service does the same by itself every quarter of an hour, and mends what it has found twice.");
        creations.MapQuery("/findings", Reconcile.FindingsAsync).WithName("listFindings")
            .WithSummary("List what the reconciliation has found, and what was done about it, newest first");
    }

    private static async Task<Results<Accepted<RepoCreationResponse>, ProblemHttpResult>> RequeueAsync(
        string slug, ProjectRepository repository, CancellationToken cancellationToken) =>
        await repository.RequeueAsync(slug, reason: null, cancellationToken) is { } creation
            ? TypedResults.Accepted($"/projects/{slug}", RepoCreationResponse.From(creation))
            : Problems.NoSuchProject(slug);
}
