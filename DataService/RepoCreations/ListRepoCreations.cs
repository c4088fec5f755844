using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs.Requeue;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.RepoCreations;

/// <param name="Slug">The project's.</param>
/// <param name="Name">The project's.</param>
/// <param name="State">Where it stands.</param>
/// <param name="JobId">Hangfire's.</param>
/// <param name="Attempts">Executions so far.</param>
/// <param name="ErrorCode">Of the last failure.</param>
/// <param name="GithubStatus">GitHub's HTTP status.</param>
/// <param name="GithubError">GitHub's own text.</param>
/// <param name="NextAttemptAt">When it goes on by itself.</param>
/// <param name="WaitsFor">Why a live one lets time pass: <c>budget</c> for its turn to create, <c>resume</c> for the end of a pause.</param>
/// <param name="UpdatedAt">When it last changed.</param>
internal sealed record ListedCreationResponse(
    string Slug, string Name, RepoCreationState State, string? JobId, int Attempts, string? ErrorCode, int? GithubStatus, string? GithubError, DateTime? NextAttemptAt,
    WaitReason? WaitsFor, DateTime UpdatedAt)
{
    public static ListedCreationResponse From(ListedCreation c) => new(
        c.Slug, c.Name, c.State, c.JobId, c.Attempts, c.ErrorCode, c.GithubStatus, c.GithubError, c.NextAttemptAt, c.WaitsFor, c.UpdatedAt);
}

/// <param name="Data">Last changed first.</param>
/// <param name="NextCursor">Give it as <c>cursor</c> for the next page; null on the last one.</param>
/// <param name="CountsByCode">How many failed creations there are of each code, whatever states and codes are asked for; <c>NONE</c> stands for those without a code.</param>
internal sealed record ListRepoCreationsResponse(IReadOnlyList<ListedCreationResponse> Data, string? NextCursor, IReadOnlyDictionary<string, int> CountsByCode) : IWithExample
{
    static object IWithExample.Example => new ListRepoCreationsResponse(
        [new(
            "acme-shop", "Acme Shop", RepoCreationState.Failed, "42", 1, "GITHUB_FORBIDDEN", 403, "Resource not accessible by personal access token", null, null,
            new DateTime(2026, 1, 5, 9, 30, 2, DateTimeKind.Utc))],
        null, new Dictionary<string, int> { ["GITHUB_FORBIDDEN"] = 1 });
}

/// <summary>One page of the creations, last changed first.</summary>
internal static class ListRepoCreations
{
    public static async Task<Results<Ok<ListRepoCreationsResponse>, ProblemHttpResult>> HandleAsync(
        CreationSearch search,
        TimeProvider time,
        CancellationToken cancellationToken,
        [Description("Only creations in these states: queued, creating, retrying, failed, created, skipped. Repeated, or separated by commas.")] string[]? state = null,
        [Description("Only failed and retrying creations with these codes; NONE for a failure without one. Repeated, or separated by commas.")] string[]? code = null,
        [Description($"Only what changed then or later: {Instants.Form}.")] string? since = null,
        [Description("Only what changed before: as since.")] string? until = null,
        [Description("A part of the slug, of the project's name or of GitHub's text, in upper or lower case."), PrintableText, MaxLength(FilterInput.MaxText, ErrorMessage = FilterInput.TooLong)] string? q = null,
        [Description("Creations on a page."), Range(1, 100, ErrorMessage = "limit must be from 1 to 100.")] int limit = 50,
        [Description("The nextCursor of the page before.")] string? cursor = null)
    {
        if (FilterInput.Read((nameof(state), state), (nameof(code), code), null, since, until, q, time.UtcNow, out var filter) is { } refused)
            return refused;
        CreationCursor? after = null;
        if (!string.IsNullOrEmpty(cursor) && (after = CreationCursor.Parse(cursor)) is null)
            return Problems.Invalid(nameof(cursor), "cursor must be the nextCursor of a page.");
        var (page, next) = await search.ListAsync(filter, after, limit, cancellationToken);
        var groups = await search.GroupsAsync(filter, cancellationToken);
        return TypedResults.Ok(new ListRepoCreationsResponse(
            [.. page.Select(ListedCreationResponse.From)], next?.ToString(), groups.ToDictionary(group => group.Code, group => group.Count)));
    }
}
