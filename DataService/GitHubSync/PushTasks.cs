using DataService.Data;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs;
using Hangfire;
using Hangfire.Common;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace DataService.GitHubSync;

/// <summary>Writes the missing issues within the request, or leaves them to a job where they are too many: GitHub takes one a second.</summary>
internal static class PushTasks
{
    /// <summary>About as many seconds as a person at a button waits.</summary>
    private const int MostInRequest = 25;

    public static async Task<Results<Ok<TaskResponse[]>, Accepted<TaskResponse[]>, ProblemHttpResult>> HandleAsync(
        string slug, DataServiceDbContext db, TaskPush push, IBackgroundJobClient jobs, CancellationToken cancellationToken)
    {
        if (await db.FindProjectAsync(slug, cancellationToken) is not { } project)
            return Problems.NoSuchProject(slug);
        if (project.GithubRepo is not { } repository)
            return Problems.NoRepository(slug);

        var missing = await db.Tasks.CountAsync(t => t.ProjectId == project.Id && t.GithubIssueNumber == null, cancellationToken);
        if (missing > MostInRequest)
        {
            jobs.Create(Job.FromExpression<PushTasksJob>(job => job.RunAsync(project.Id, null!, CancellationToken.None)), new TracedState());
            return TypedResults.Accepted($"/projects/{slug}/tasks", await db.ListTasksAsync(project, cancellationToken));
        }

        await push.RunAsync(project.Id, repository, comeback: null, cancellationToken);
        return await db.Projects.Where(p => p.Id == project.Id).Select(p => new { p.GithubRepo }).SingleOrDefaultAsync(cancellationToken) switch
        {
            null => Problems.NoSuchProject(slug),
            { GithubRepo: var now } when now != repository => Problems.LostRepository(slug, repository),
            _ => TypedResults.Ok(await db.ListTasksAsync(project, cancellationToken)),
        };
    }

    internal static async Task<TaskResponse[]> ListTasksAsync(this DataServiceDbContext db, Project project, CancellationToken cancellationToken) =>
        [.. (await db.TasksOf(project).AsNoTracking().ToListAsync(cancellationToken)).Select(TaskResponse.From)];
}
