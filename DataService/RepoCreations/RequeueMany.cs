using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using DataService.Data;
using DataService.Http;
using DataService.Jobs.Requeue;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.RepoCreations;

/// <param name="States">Which; failed alone where none are given. Only failed and retrying ones are ever requeued, the others are skipped.</param>
/// <param name="Codes">Only failures with these codes; NONE for those without one.</param>
/// <param name="Slugs">Only these projects, at most 1,000.</param>
/// <param name="Since">Only what changed then or later: an ISO-8601 instant with its zone, or a time before now, such as 2h.</param>
/// <param name="Until">Only what changed before: as since; now where none is given. All batches of one run are given the first one's.</param>
/// <param name="Q">Only with this part in the slug, the project's name or GitHub's text.</param>
/// <param name="Reason">Why; it stands in the jobs' history.</param>
/// <param name="Limit">At most so many in this batch.</param>
/// <param name="DryRun">Only count: what could be requeued is what remains.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RequeueRequest(
    IReadOnlyList<string?>? States = null,
    IReadOnlyList<string?>? Codes = null,
    IReadOnlyList<string?>? Slugs = null,
    string? Since = null,
    string? Until = null,
    [property: PrintableText, MaxLength(FilterInput.MaxText, ErrorMessage = FilterInput.TooLong)] string? Q = null,
    [property: PrintableText, MaxLength(500, ErrorMessage = "The reason must have at most 500 characters.")] string? Reason = null,
    [property: Range(1, RequeueEngine.MaxBatch, ErrorMessage = "limit must be from 1 to 5000.")] int Limit = 500,
    bool DryRun = false) : IWithExample
{
    static object IWithExample.Example => new RequeueRequest(Codes: ["GITHUB_UNAUTHORIZED"], Since: "2h", Reason: "The token was renewed.");
}

/// <param name="Limit">At most so many in this batch.</param>
/// <param name="DryRun">Only count: what could be enqueued is what remains.</param>
/// <param name="Reason">Why; it stands in the jobs' history.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record EnqueueMissingRequest(
    [property: Range(1, RequeueEngine.MaxBatch, ErrorMessage = "limit must be from 1 to 5000.")] int Limit = 500,
    bool DryRun = false,
    [property: PrintableText, MaxLength(500, ErrorMessage = "The reason must have at most 500 characters.")] string? Reason = null) : IWithExample
{
    static object IWithExample.Example => new EnqueueMissingRequest();
}

/// <param name="Matched">How many match: those requeued now, skipped and remaining.</param>
/// <param name="Requeued">By this call.</param>
/// <param name="Skipped">How many match and are left as they are, so far.</param>
/// <param name="Remaining">How many a further call may requeue; 0 says that the run is over. A dry run leaves all of them.</param>
/// <param name="SkippedReasons">How many were skipped for each reason.</param>
/// <param name="Until">Give it to the further calls, or what fails again meanwhile matches again.</param>
/// <param name="Engine"><c>set-based</c>, or <c>public-api</c> where Hangfire's tables are not the known ones: slower, and in batches of at most 200.</param>
internal sealed record RequeueResponse(
    int Matched, int Requeued, int Skipped, int Remaining, IReadOnlyDictionary<string, int> SkippedReasons, DateTime Until, string Engine) : IWithExample
{
    static object IWithExample.Example => new RequeueResponse(
        812, 500, 2, 310, new Dictionary<string, int> { [SkipReason.JobIsAtIt] = 2 }, new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc), "set-based");

    public static RequeueResponse From(RequeueBatch batch) => new(
        batch.Matched, batch.Requeued.Count, batch.Skipped.Values.Sum(), batch.Remaining, batch.Skipped, batch.Until,
        batch.Engine is RequeueEngineKind.SetBased ? "set-based" : "public-api");
}

/// <summary>Runs many creations again, a batch at each call.</summary>
internal static class RequeueMany
{
    public static async Task<Results<Ok<RequeueResponse>, ProblemHttpResult>> RequeueAsync(
        RequeueRequest request, RequeueEngine engine, TimeProvider time, CancellationToken cancellationToken)
    {
        if (FilterInput.RefuseEmpty(
            [("states", request.States), ("codes", request.Codes), ("slugs", request.Slugs)],
            [("since", request.Since), ("until", request.Until), ("q", request.Q)]) is { } empty)
        {
            return empty;
        }

        if (FilterInput.Read(("states", request.States), ("codes", request.Codes), request.Slugs, request.Since, request.Until, request.Q, time.UtcNow, out var filter) is { } refused)
            return refused;
        return TypedResults.Ok(RequeueResponse.From(await engine.RequeueAsync(filter, request.Limit, Trimmed(request.Reason), request.DryRun, cancellationToken)));
    }

    public static async Task<Ok<RequeueResponse>> EnqueueMissingAsync(EnqueueMissingRequest request, RequeueEngine engine, CancellationToken cancellationToken) =>
        TypedResults.Ok(RequeueResponse.From(await engine.EnqueueMissingAsync(request.Limit, Trimmed(request.Reason), request.DryRun, cancellationToken)));

    private static string? Trimmed(string? reason) => string.IsNullOrWhiteSpace(reason) ? null : reason.Trim();
}
