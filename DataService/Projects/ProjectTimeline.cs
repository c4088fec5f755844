using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Projects;

/// <param name="At">When.</param>
/// <param name="Kind">What a program decides by.</param>
/// <param name="Text">What a person reads.</param>
/// <param name="Actor">Who did it; null where it happened by itself.</param>
/// <param name="RequestId">The <c>X-Request-Id</c> of the request that did it.</param>
/// <param name="Attempt">The attempt that it happened in.</param>
/// <param name="Code">Of the failure.</param>
/// <param name="GithubStatus">GitHub's HTTP status.</param>
/// <param name="JobId">Hangfire's.</param>
/// <param name="NextAt">When the creation goes on by itself.</param>
internal sealed record TimelineEntryResponse(
    DateTime At, string Kind, string Text, string? Actor, string? RequestId, int? Attempt, string? Code, int? GithubStatus, string? JobId,
    DateTime? NextAt)
{
    public static TimelineEntryResponse From(TimelineEntry entry) => new(
        entry.At, entry.Kind, entry.Text, entry.Actor, entry.RequestId, entry.Attempt, entry.Code?.Code, entry.GithubStatus,
        entry.JobId, entry.NextAt);
}

internal sealed record TimelineResponse(IReadOnlyList<TimelineEntryResponse> Data) : IWithExample
{
    static object IWithExample.Example => new TimelineResponse(
    [
        new(At(0), "approve", "Approved.", "api", "0199c2f0a1b27c3d8e4f5a6b7c8d9e0f", null, null, null, null, null),
        new(At(0), "enqueued", "Waits for a worker.", null, null, null, null, null, "42", null),
        new(At(1), "attempt_started", "Begins with the name acme-shop.", null, null, 1, null, null, "42", null),
        new(At(2), "created", "auditmos-projects/acme-shop", null, null, 1, null, null, "42", null),
    ]);

    private static DateTime At(int second) => new(2026, 1, 5, 9, 30, second, DateTimeKind.Utc);
}

internal static class ProjectTimeline
{
    public static async Task<Results<Ok<TimelineResponse>, ProblemHttpResult>> HandleAsync(
        string slug, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        if (await db.FindProjectAsync(slug, cancellationToken) is not { } project)
            return Problems.NoSuchProject(slug);
        var story = await Timeline.OfAsync(db, project.Id, cancellationToken);
        return TypedResults.Ok(new TimelineResponse([.. story.Select(TimelineEntryResponse.From)]));
    }
}
