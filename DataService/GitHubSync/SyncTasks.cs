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
                await ApplyAsync(db, project.Id, repository, await tracker.ListAsync(repository, both.Token), cancellationToken);
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
    /// A number alone does not make an issue the task's: the project may have had another repository, so the marker has to
    /// agree, or the address where a person took the marker out. The address alone does not do either: in a repository that was made anew
    /// under the same name it is another task's. A task without an issue gets the first that bears its marker. An issue that was
    /// transferred or deleted is not in the list, and its task stays as it is.
    /// </summary>
    private static Task<int> ApplyAsync(
        DataServiceDbContext db, Guid projectId, string repository, IReadOnlyList<TrackedIssue> issues, CancellationToken cancellationToken)
    {
        var marked = new HashSet<Guid>();
        int[] numbers = [.. issues.Select(issue => issue.Number)];
        string[] urls = [.. issues.Select(issue => issue.Url)];
        Guid?[] taskIds = [.. issues.Select(issue => issue.TaskId)];
        bool[] isFirst = [.. issues.Select(issue => issue.TaskId is { } id && marked.Add(id))];
        string[] statuses = [.. issues.Select(issue => issue.IsClosed ? ProjectTask.Done : ProjectTask.Pending)];
        return db.InTransactionAsync(async token => !await db.HoldRepositoryAsync(projectId, repository, token) ? 0 : await db.Database.ExecuteSqlAsync(
            $"""
             UPDATE tasks SET status = issue.status, github_issue_number = issue.number, github_issue_url = issue.url
             FROM unnest({numbers}, {urls}, {taskIds}, {isFirst}, {statuses}) AS issue (number, url, task_id, is_first, status)
             WHERE tasks.project_id = {projectId}
               AND (tasks.github_issue_number = issue.number
                        AND (tasks.id = issue.task_id OR (issue.task_id IS NULL AND tasks.github_issue_url = issue.url))
                    OR tasks.github_issue_number IS NULL AND tasks.id = issue.task_id AND issue.is_first)
               AND (tasks.status, tasks.github_issue_url) IS DISTINCT FROM (issue.status, issue.url)
             """, token), cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The tasks of {Slug} were left as they are: {Status} {GithubError}")]
    private static partial void LogLeftAsTheyAre(ILogger logger, string slug, int? status, string githubError);
}
