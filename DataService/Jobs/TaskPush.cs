using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Jobs;

/// <summary>Writes a GitHub issue for each task that has none. Safe to repeat, to interrupt and to call twice at once.</summary>
internal sealed partial class TaskPush(
    DataServiceDbContext db, NpgsqlDataSource dataSource, IssueTracker tracker, ContentBudget budget, GitHubOptions gitHub, TimeProvider time, ILogger<TaskPush> logger)
{
    /// <summary>A turn so near is sat out. Turns are about a second apart.</summary>
    private static readonly TimeSpan ShortWait = TimeSpan.FromSeconds(2);

    /// <exception cref="FailureException">GitHub failed; the issues so far are saved, and the next push goes on from there.</exception>
    public async Task RunAsync(Guid projectId, string repository, CancellationToken cancellationToken)
    {
        await using var alone = await ProjectLock.AcquireAsync(dataSource, projectId, time, cancellationToken);
        var missing = await db.Tasks.AsNoTracking().Where(t => t.ProjectId == projectId && t.GithubIssueNumber == null)
            .OrderBy(t => t.SortOrder).ThenBy(t => t.Id).ToListAsync(cancellationToken);
        if (missing is [])
            return;

        // What an interrupted push has left behind: issues whose numbers nobody heard of.
        var known = (await tracker.ListAsync(repository, cancellationToken)).Where(issue => issue.TaskId is not null)
            .GroupBy(issue => issue.TaskId!.Value).ToDictionary(issues => issues.Key, issues => issues.First());
        foreach (var task in missing)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var issue = known.GetValueOrDefault(task.Id) ?? await CreateAsync(repository, task, cancellationToken);
            // Not cancelled: the issue is there, and its number is to be saved as soon as it is known.
            var linked = await db.Tasks.Where(t => t.Id == task.Id && t.GithubIssueNumber == null)
                .ExecuteUpdateAsync(t => t.SetProperty(x => x.GithubIssueNumber, issue.Number).SetProperty(x => x.GithubIssueUrl, issue.Url), CancellationToken.None);
            if (linked is 0)
                LogTaskGone(repository, issue.Number);
        }
    }

    private async Task<TrackedIssue> CreateAsync(string repository, ProjectTask task, CancellationToken cancellationToken)
    {
        await TakeTurnAsync(cancellationToken);
        try
        {
            return await tracker.CreateAsync(repository, task);
        }
        catch (FailureException exception) when (exception.Failure.Kind is FailureKind.GitHubRateLimited)
        {
            var quota = await db.InTransactionAsync(async token =>
            {
                var quota = await budget.LockAsync(db, token);
                quota.Limit(exception.Failure.RetryAt, await db.ClockAsync(token));
                return quota;
            }, CancellationToken.None);
            throw new FailureException(exception.Failure with { RetryAt = quota.LimitedUntil });
        }
    }

    /// <exception cref="FailureException">The budget is used up for longer than a caller waits.</exception>
    private async Task TakeTurnAsync(CancellationToken cancellationToken)
    {
        if (gitHub.Token is null)
            return;
        DateTime? reserved = null;
        while (true)
        {
            var turn = await db.InTransactionAsync(token => budget.TakeAsync(db, reserved, token), cancellationToken);
            if (turn.WaitUntil is not { } at)
                return;
            if (at - turn.Now is var wait && wait > ShortWait)
                throw new FailureException(new Failure(FailureKind.GitHubRateLimited, null, "What may be created on GitHub in this time is used up.", time.UtcNow + wait));
            reserved = at;
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Issue {Number} of {Repository} stands for a task that was deleted meanwhile")]
    private partial void LogTaskGone(string repository, int number);
}
