using DataService.Data;
using DataService.Domain;
using Hangfire.States;

namespace DataService.Jobs;

/// <summary>Sees to it that an approved project has the one job that creates its repository.</summary>
internal sealed class RepoCreationQueue(TimeProvider time)
{
    /// <summary>
    /// Enqueues the job, unless one is alive or the admin chose a repository. The caller holds the project's row lock, so that
    /// of many callers at once only the first finds no job.
    /// </summary>
    /// <param name="project">Locked.</param>
    /// <param name="jobs">Of the same transaction.</param>
    /// <param name="cause">For the history, where no entry of the audit tells it.</param>
    public void EnsureEnqueued(Project project, EnlistedJobs jobs, string? cause = null)
    {
        var creation = project.TrackRepoCreation(time.UtcNow);
        if (project.GithubRepo is not null)
        {
            creation.SettleByChoice(time.UtcNow);
        }
        else if (!IsAlive(creation, jobs))
        {
            Enqueue(creation, jobs, cause);
        }
    }

    /// <summary>Runs the creation now and with a full set of attempts, unless a job is about to or at it. A scheduled retry is replaced.</summary>
    /// <exception cref="InvalidTransitionException">The project is not approved, or has a repository.</exception>
    public RepoCreation Requeue(Project project, EnlistedJobs jobs)
    {
        if (project.ApprovedAt is null)
            throw new InvalidTransitionException("The project is not approved yet; approve it to have its repository created.");
        if (project.GithubRepo is { } repository)
            throw new InvalidTransitionException($"The project has a repository already: {repository}.");
        var creation = project.TrackRepoCreation(time.UtcNow);
        if (!IsAlive(creation, jobs) || creation.State is RepoCreationState.Retrying)
            Enqueue(creation, jobs);
        return creation;
    }

    private void Enqueue(RepoCreation creation, EnlistedJobs jobs, string? cause = null)
    {
        if (creation.JobId is { } superseded)
            jobs.Supersede(superseded);
        var projectId = creation.ProjectId;
        creation.Enqueue(jobs.Enqueue<CreateProjectRepoJob>(job => job.RunAsync(projectId, null!, CancellationToken.None)), time.UtcNow, cause);
    }

    /// <summary>The row may say alive where an operator has deleted the job, or a restored database has lost it: Hangfire knows.</summary>
    internal static bool IsAlive(RepoCreation creation, EnlistedJobs jobs) =>
        creation is { IsLive: true, JobId: { } jobId } && IsAlive(jobs.StateOf(jobId));

    internal static bool IsAlive(string? jobState) =>
        jobState == EnqueuedState.StateName || jobState == ProcessingState.StateName || jobState == ScheduledState.StateName || jobState == AwaitingState.StateName;
}
