using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Jobs;

/// <summary>Writes a GitHub issue for each task that has none. Safe to repeat, to interrupt and to call twice at once.</summary>
internal sealed partial class TaskPush(
    DataServiceDbContext db, [FromKeyedServices(DataSetup.ProjectLocks)] NpgsqlDataSource locks, IssueTracker tracker, ContentBudget budget, GitHubOptions gitHub,
    TimeProvider time, ILogger<TaskPush> logger)
{
    /// <summary>A turn so near is sat out. Turns are about a second apart.</summary>
    private static readonly TimeSpan ShortWait = TimeSpan.FromSeconds(2);

    /// <summary>For a job that meets another push: long beside a look at the lock, short beside a push that is worth a job.</summary>
    private static readonly TimeSpan WhileAnotherPushes = TimeSpan.FromSeconds(5);

    /// <summary>Ends early where the project is deleted, or has another repository, meanwhile: who asked has to look.</summary>
    /// <param name="projectId">Whose tasks.</param>
    /// <param name="repository">Full name.</param>
    /// <param name="comeback">For a caller that comes back: the turn that it was given the last time, if it was; null for one that does not.</param>
    /// <param name="cancellationToken">Ends it between two issues.</param>
    /// <returns>The turn at which the caller shall come back for the rest; null where nothing is left to do.</returns>
    /// <exception cref="FailureException">GitHub failed, or nothing more may be created for longer than a caller waits who does not come back; the
    /// issues so far are saved, and the next push goes on from there.</exception>
    /// <exception cref="JobPostponedException">Another push of the project is under way, and the caller is one that comes back.</exception>
    /// <exception cref="NpgsqlException">The database is away, or the lock was lost; what holds for GitHub's failures holds here too.</exception>
    public async Task<Turn?> RunAsync(Guid projectId, string repository, Comeback? comeback, CancellationToken cancellationToken)
    {
        await using var alone = comeback is null
            ? await ProjectLock.AcquireAsync(locks, projectId, time, cancellationToken)
            : await ProjectLock.TryAcquireAsync(locks, projectId, cancellationToken)
                ?? throw new JobPostponedException(time.UtcNow + WhileAnotherPushes, "Waits for another push of this project");
        var missing = await db.Tasks.Where(t => t.ProjectId == projectId && t.GithubIssueNumber == null)
            .OrderBy(t => t.SortOrder).ThenBy(t => t.Id).Select(t => t.Id).ToListAsync(cancellationToken);
        if (missing is [])
            return null;

        // What an interrupted push has left behind: issues whose numbers nobody heard of.
        var known = (await tracker.ListAsync(repository, cancellationToken)).Where(issue => issue.TaskId is not null)
            .GroupBy(issue => issue.TaskId!.Value).ToDictionary(issues => issues.Key, issues => issues.First());
        var hasTurn = false;
        foreach (var taskId in missing)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!known.TryGetValue(taskId, out var issue) && !hasTurn)
            {
                if (await TakeTurnAsync(comeback, cancellationToken) is { } later)
                    return later;
                comeback?.Take();
                hasTurn = true;
            }

            // A push takes minutes, and people go on meanwhile.
            if (await FindAsync(projectId, repository, taskId, cancellationToken) is not { } now)
                return null;
            if (now.Task is not { } task)
                continue;
            if (issue is null)
            {
                await alone.CheckAsync(cancellationToken);
                hasTurn = false;
                issue = await CreateAsync(repository, task);
            }

            // Not cancelled: the issue is there, and its number is to be saved as soon as it is known.
            if (!await LinkAsync(projectId, repository, taskId, issue))
                LogNotLinked(repository, issue.Number);
        }

        return null;
    }

    /// <returns>The task, null in it where it is gone or has an issue; null where the project is gone or has another repository.</returns>
    private Task<Missing?> FindAsync(Guid projectId, string repository, Guid taskId, CancellationToken cancellationToken) => db.Projects.AsNoTracking()
        .Where(p => p.Id == projectId && p.GithubRepo == repository)
        .Select(p => new Missing(db.Tasks.FirstOrDefault(t => t.Id == taskId && t.ProjectId == p.Id && t.GithubIssueNumber == null)))
        .SingleOrDefaultAsync(cancellationToken);

    /// <returns>False where the task is gone or has an issue, or the project has another repository.</returns>
    private Task<bool> LinkAsync(Guid projectId, string repository, Guid taskId, TrackedIssue issue) => db.InTransactionAsync(
        async token => await db.HoldRepositoryAsync(projectId, repository, token)
            && await db.Tasks.Where(t => t.Id == taskId && t.GithubIssueNumber == null)
                .ExecuteUpdateAsync(t => t.SetProperty(x => x.GithubIssueNumber, issue.Number).SetProperty(x => x.GithubIssueUrl, issue.Url), token) is 1,
        CancellationToken.None);

    private async Task<TrackedIssue> CreateAsync(string repository, ProjectTask task)
    {
        try
        {
            return await tracker.CreateAsync(repository, task);
        }
        catch (FailureException exception) when (exception.Failure.Kind is FailureKind.GitHubRateLimited)
        {
            throw new FailureException(await db.InTransactionAsync(
                async token => await ContentBudget.LimitAsync(db, await budget.LockAsync(db, token), exception.Failure, time.UtcNow, token), CancellationToken.None));
        }
    }

    /// <returns>The turn that is reserved for a caller that comes back; null where it is this call's turn now.</returns>
    /// <exception cref="FailureException">The budget is used up for longer than a caller waits who does not come back.</exception>
    private async Task<Turn?> TakeTurnAsync(Comeback? comeback, CancellationToken cancellationToken)
    {
        if (gitHub.Token is null)
            return null;
        var reserved = comeback?.Turn;
        while (true)
        {
            var asked = reserved;
            var turn = await db.InTransactionAsync(async token =>
            {
                var answer = await budget.TakeAsync(db, asked, token);
                // Thrown within the transaction: a turn for which nobody comes would only move the queue.
                return comeback is not null || answer.WaitUntil is not { } at || at - answer.Now <= ShortWait
                    ? answer
                    : throw new FailureException(new Failure(
                        FailureKind.GitHubRateLimited, null, "What may be created on GitHub in this time is used up.", time.UtcNow + (at - answer.Now)));
            }, cancellationToken);
            if (turn.WaitUntil is not { } next)
                return null;
            if (next - turn.Now > ShortWait)
                return turn;
            reserved = next;
            await Task.Delay(next - turn.Now, time, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Issue {Number} of {Repository} stands for a task that was deleted, got another issue, or whose project got another repository meanwhile")]
    private partial void LogNotLinked(string repository, int number);

    private sealed record Missing(ProjectTask? Task);
}

/// <summary>What a caller brings along that came before, and comes again.</summary>
/// <param name="turn">UTC; the turn of the budget that was reserved; null where none was.</param>
/// <param name="forget">Called when the turn is taken: who fails after that and comes again has to ask for another one.</param>
internal sealed class Comeback(DateTime? turn, Action forget)
{
    public DateTime? Turn { get; private set; } = turn;

    public void Take()
    {
        if (Turn is null)
            return;
        Turn = null;
        forget();
    }
}
