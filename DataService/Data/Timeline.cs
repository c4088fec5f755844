using DataService.Domain;
using Microsoft.EntityFrameworkCore;

namespace DataService.Data;

/// <param name="At">UTC.</param>
/// <param name="Kind">A word of <see cref="AuditAction"/> or of <see cref="CreationEventKind"/>.</param>
/// <param name="Text">For people.</param>
/// <param name="Actor">Who did it; null where it happened by itself.</param>
/// <param name="RequestId">Of the request that did it.</param>
/// <param name="Attempt">The attempt that it happened in.</param>
/// <param name="Code">Of the failure.</param>
/// <param name="GithubStatus">GitHub's HTTP status.</param>
/// <param name="JobId">Hangfire's.</param>
/// <param name="NextAt">UTC; when the creation goes on by itself.</param>
internal sealed record TimelineEntry(
    DateTime At, string Kind, string Text, string? Actor, string? RequestId, int? Attempt, FailureKind? Code, int? GithubStatus, string? JobId,
    DateTime? NextAt);

/// <summary>What people did with a project, and how the creation of its repository fared, as one story.</summary>
internal static class Timeline
{
    /// <summary>A project that has more of a kind shows the latest.</summary>
    private const int MostOfAKind = 500;

    /// <summary>Oldest first.</summary>
    public static async Task<IReadOnlyList<TimelineEntry>> OfAsync(
        DataServiceDbContext db, Guid projectId, CancellationToken cancellationToken)
    {
        var actions = await db.AuditEntries.AsNoTracking().Where(entry => entry.ProjectId == projectId)
            .OrderByDescending(entry => entry.Id).Take(MostOfAKind).ToListAsync(cancellationToken);
        var events = await db.CreationEvents.AsNoTracking().Where(happened => happened.ProjectId == projectId)
            .OrderByDescending(happened => happened.Id).Take(MostOfAKind).ToListAsync(cancellationToken);
        var story = new List<TimelineEntry>(actions.Count + events.Count);
        // Merged, not sorted: the clocks of two instances may differ, and what is of one kind stands in its order by the ids.
        int action = actions.Count, happened = events.Count;
        while (action + happened > 0)
        {
            var isAction = happened is 0 || (action > 0 && actions[action - 1].At <= events[happened - 1].At);
            story.Add(isAction ? From(actions[--action]) : From(events[--happened]));
        }

        return story;
    }

    private static TimelineEntry From(AuditEntry entry) => new(
        entry.At, Words<AuditAction>.Of(entry.Action), entry.Reason is null ? Text(entry) : $"{Text(entry)} {entry.Reason}",
        entry.Actor, entry.RequestId, null, null, null, null, null);

    private static TimelineEntry From(CreationEvent happened) => new(
        happened.At, Words<CreationEventKind>.Of(happened.Kind), happened.Text,
        null, null, happened.Attempt, happened.Code, happened.GithubStatus, happened.JobId, happened.NextAt);

    private static string Text(AuditEntry entry) => entry.Action switch
    {
        AuditAction.Approve => entry.Detail is null ? "Approved." : $"Approved {entry.Detail}.",
        AuditAction.ChooseRepository => $"Chose {entry.Detail}.",
        AuditAction.ClearRepository => entry.Detail is null ? "Chose no repository." : $"Took {entry.Detail} away.",
        AuditAction.Requeue => entry.Detail is null ? "Re-run." : $"Re-run: {entry.Detail}.",
        AuditAction.RetryJob => $"Re-run in the dashboard: {entry.Detail}.",
        AuditAction.DeleteJob => $"Deleted in the dashboard: {entry.Detail}.",
        var other => entry.Detail ?? $"{Words<AuditAction>.Of(other)}.",
    };
}
