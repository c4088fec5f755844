using DataService.Data;
using DataService.Domain;
using Hangfire.Server;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <summary>Pushes a project's tasks when there are more than a request should wait for.</summary>
internal sealed partial class PushTasksJob(DataServiceDbContext db, TaskPush push, RetryPolicy retries, TimeProvider time, ILogger<PushTasksJob> logger)
{
    private const string WaitsForTurn = "Waits for its turn: GitHub limits how much is created";

    /// <summary>The job's parameter that keeps the turn which was reserved for it.</summary>
    private const string Turn = "Turn";

    /// <param name="projectId">The project to serve. It may be gone, or have lost its repository, by the time the job runs.</param>
    /// <param name="context">Filled in by Hangfire.</param>
    /// <param name="cancellationToken">Filled in by Hangfire.</param>
    /// <exception cref="JobFailedException">GitHub failed; what was pushed so far is saved.</exception>
    public async Task RunAsync(Guid projectId, PerformContext context, CancellationToken cancellationToken)
    {
        if (await db.Projects.AsNoTracking().SingleOrDefaultAsync(p => p.Id == projectId, cancellationToken) is not { GithubRepo: { } repository } project)
            return;
        var comeback = new Comeback(context.GetJobParameter<DateTime?>(Turn), () => context.SetJobParameter(Turn, null));
        try
        {
            // What was pushed is saved, and the job goes on with the rest when it is its turn.
            if (await push.RunAsync(projectId, repository, comeback, cancellationToken) is { WaitUntil: { } at } turn)
            {
                context.SetJobParameter(Turn, at);
                throw new JobPostponedException(time.UtcNow + (at - turn.Now), WaitsForTurn);
            }
        }
        catch (FailureException exception) when (exception.Failure is { Kind: FailureKind.GitHubRateLimited, RetryAt: not null } limited)
        {
            throw new JobPostponedException(limited.RetryAt.Value, WaitsForTurn);
        }
        catch (FailureException exception)
        {
            var nextAttemptAt = retries.NextAttempt(exception.Failure, context.GetJobParameter<int>(RetryFilter.RetryCount), time.UtcNow, Random.Shared.NextDouble());
            LogFailed(project.Slug, exception.Failure.GithubStatus, exception.Failure.Text, exception.Failure.Kind.Code, nextAttemptAt);
            throw new JobFailedException(project.Slug, exception.Failure, nextAttemptAt);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Pushing the tasks of {Slug} failed: {Status} {GithubError} ({Code}), next attempt {NextAttemptAt}")]
    private partial void LogFailed(string slug, int? status, string githubError, string code, DateTime? nextAttemptAt);
}
