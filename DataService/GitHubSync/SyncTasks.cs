using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace DataService.GitHubSync;

/// <summary>
/// Takes the tasks' status from their issues. Open to everyone, so it costs little: one round to GitHub per project in 30 s over all
/// instances, in between the answer comes from the database. GitHub failing leaves the tasks as they are.
/// </summary>
internal static partial class SyncTasks
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>For the whole round, however many pages it has.</summary>
    private static readonly TimeSpan RoundTimeout = TimeSpan.FromSeconds(15);

    public static async Task<Results<Ok<TaskResponse[]>, ProblemHttpResult>> HandleAsync(
        string slug, DataServiceDbContext db, IssueTracker tracker, TimeProvider time, ILogger<IssueTracker> logger, CancellationToken cancellationToken)
    {
        if (await db.FindProjectAsync(slug, cancellationToken) is not { } project)
            return Problems.NoSuchProject(slug);
        if (project.GithubRepo is { } repository && await ClaimRoundAsync(db, project.Id, time.UtcNow, cancellationToken))
        {
            using var timeout = new CancellationTokenSource(RoundTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            try
            {
                await ApplyAsync(db, project.Id, await tracker.ListAsync(repository, both.Token), cancellationToken);
            }
            catch (FailureException exception)
            {
                LogLeftAsTheyAre(logger, slug, exception.Failure.GithubStatus, exception.Failure.Text);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                LogLeftAsTheyAre(logger, slug, null, $"GitHub's issues did not arrive within {RoundTimeout.TotalSeconds} s.");
            }
        }

        return TypedResults.Ok(await db.ListTasksAsync(project, cancellationToken));
    }

    /// <summary>Of many callers at once, on any instance, one gets the round.</summary>
    private static async Task<bool> ClaimRoundAsync(DataServiceDbContext db, Guid projectId, DateTime now, CancellationToken cancellationToken) =>
        await db.Projects
            .Where(p => p.Id == projectId && (p.IssuesSyncedAt == null || p.IssuesSyncedAt <= now - Interval))
            .ExecuteUpdateAsync(p => p.SetProperty(x => x.IssuesSyncedAt, now), cancellationToken) is 1;

    /// <summary>
    /// In one statement. A number alone does not make an issue the task's: the project may have had another repository, so the marker has to
    /// agree, or the address where a person took the marker out. The address alone does not do either: in a repository that was made anew
    /// under the same name it is another task's. An issue that was transferred or deleted is not in the list, and its task stays as it is.
    /// </summary>
    private static async Task ApplyAsync(DataServiceDbContext db, Guid projectId, IReadOnlyList<TrackedIssue> issues, CancellationToken cancellationToken)
    {
        int[] numbers = [.. issues.Select(issue => issue.Number)];
        string[] urls = [.. issues.Select(issue => issue.Url)];
        Guid?[] taskIds = [.. issues.Select(issue => issue.TaskId)];
        string[] statuses = [.. issues.Select(issue => issue.IsClosed ? ProjectTask.Done : ProjectTask.Pending)];
        await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE tasks SET status = issue.status
             FROM unnest({numbers}, {urls}, {taskIds}, {statuses}) AS issue (number, url, task_id, status)
             WHERE tasks.project_id = {projectId} AND tasks.github_issue_number = issue.number
               AND (tasks.id = issue.task_id OR (issue.task_id IS NULL AND tasks.github_issue_url = issue.url)) AND tasks.status <> issue.status
             """, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The tasks of {Slug} were left as they are: {Status} {GithubError}")]
    private static partial void LogLeftAsTheyAre(ILogger logger, string slug, int? status, string githubError);
}
