using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using Hangfire;
using Hangfire.Server;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <summary>
/// Creates an approved project's private repository and links it. Safe to run again at any point: it asks first whether the work
/// is done, and writes down each name before it tries it.
/// </summary>
internal sealed partial class CreateProjectRepoJob(
    DataServiceDbContext db,
    RepositoryCreator creator,
    RepositoryCatalog catalog,
    GitHubOptions gitHub,
    RetryPolicy retries,
    JobStorage storage,
    TimeProvider time,
    ILogger<CreateProjectRepoJob> logger)
{
    /// <param name="projectId">The project to serve. It may be gone, or served, by the time the job runs.</param>
    /// <param name="context">Filled in by Hangfire.</param>
    /// <param name="cancellationToken">Filled in by Hangfire; cancelled when the server has no time left to finish.</param>
    /// <exception cref="JobFailedException">The attempt failed; the row says so already.</exception>
    public async Task RunAsync(Guid projectId, PerformContext context, CancellationToken cancellationToken)
    {
        if (await BeginAsync(projectId, context.BackgroundJob.Id, cancellationToken) is not { } attempt)
            return;
        try
        {
            var created = await CreateAsync(attempt, cancellationToken);
            await LinkAsync(attempt, created, cancellationToken);
        }
        // A cancelled run is handed back to the queue as it is: it was stopped, it did not fail.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (await FailAsync(attempt, exception, cancellationToken) is { } failed)
                throw failed;
        }
    }

    /// <summary>The work to do, or null when there is none left for this job.</summary>
    private Task<Attempt?> BeginAsync(Guid projectId, string jobId, CancellationToken cancellationToken) => db.InTransactionAsync(async token =>
    {
        if (await db.LockProjectAsync(projectId, token) is not { } project)
        {
            LogProjectGone(projectId);
            return null;
        }

        var creation = project.TrackRepoCreation(time.UtcNow);
        if (project.GithubRepo is { } repository)
        {
            creation.SettleByChoice(time.UtcNow);
            LogHasRepository(project.Slug, repository);
            return null;
        }

        if (creation.JobId is { } owner && owner != jobId && IsAlive(owner))
        {
            LogSuperseded(project.Slug, jobId, owner);
            return null;
        }

        if (creation is { State: RepoCreationState.Skipped } && creation.JobId == jobId)
        {
            LogSettled(project.Slug, jobId);
            return null;
        }

        creation.BeginAttempt(jobId, time.UtcNow);
        return new Attempt(project.Id, project.Slug, project.Name, jobId, creation.RepositoryName);
    }, cancellationToken);

    private async Task<CreatedRepository> CreateAsync(Attempt attempt, CancellationToken cancellationToken)
    {
        if (gitHub.Token is null)
            throw new FailureException(Failure.TokenMissing);
        var name = attempt.NameTried ?? attempt.Slug;
        if (await TryNameAsync(attempt, name, mayExist: attempt.NameTried is not null, cancellationToken) is { } first)
            return first;
        if (name == attempt.Slug && await TryNameAsync(attempt, RepositoryName.WithSuffix(attempt.Slug), mayExist: false, cancellationToken) is { } second)
            return second;
        throw new FailureException(new Failure(FailureKind.GitHubRepoNameTaken, 422, "Both the slug and the suffixed name belong to someone else."));
    }

    private async Task<CreatedRepository?> TryNameAsync(Attempt attempt, string name, bool mayExist, CancellationToken cancellationToken)
    {
        await SaveAsync(attempt.ProjectId, creation => creation.Intend(name, time.UtcNow), cancellationToken);
        var created = await creator.CreateAsync(name, attempt.ProjectId, attempt.ProjectName, mayExist, cancellationToken);
        if (created is null)
            LogNameTaken(attempt.Slug, name);
        return created;
    }

    private async Task LinkAsync(Attempt attempt, CreatedRepository created, CancellationToken cancellationToken)
    {
        catalog.Invalidate();
        var chosen = await db.InTransactionAsync(async token =>
        {
            var project = await db.LockProjectAsync(attempt.ProjectId, token);
            if (project is null)
                return "nothing: the project was deleted meanwhile";
            if (project.LinkRepository(created.FullName, time.UtcNow))
                return null;
            return project.GithubRepo;
        }, cancellationToken);
        if (chosen is not null)
            LogCreatedBeside(attempt.Slug, created.FullName, chosen);
        else if (created.Adopted)
            LogAdopted(attempt.Slug, created.FullName);
        else
            LogCreated(attempt.Slug, created.FullName);
    }

    /// <summary>Saves how the attempt failed; null where that no longer matters, because the creation was settled meanwhile.</summary>
    private async Task<JobFailedException?> FailAsync(Attempt attempt, Exception exception, CancellationToken cancellationToken)
    {
        var now = time.UtcNow;
        var failure = gitHub.Redact(exception is FailureException classified ? classified.Failure : GitHubFailure.Classify(exception, now));
        DateTime? nextAttemptAt = null;
        var counts = await db.InTransactionAsync(async token =>
        {
            if (await db.LockProjectAsync(attempt.ProjectId, token) is not { RepoCreation: { } creation } project)
                return false;
            if (project.GithubRepo is not null)
            {
                creation.SettleByChoice(now);
                return false;
            }

            // Deleted in the dashboard, or taken over by another job: what happens next is no longer this attempt's to say.
            if (creation.State is not RepoCreationState.Creating || creation.JobId != attempt.JobId)
                return false;
            nextAttemptAt = retries.NextAttempt(failure, creation.Retries, now, Random.Shared.NextDouble());
            if (nextAttemptAt is { } at)
                creation.Retry(failure, at, now);
            else
                creation.Fail(failure, now);
            return true;
        }, cancellationToken);
        LogFailed(failure.Kind is FailureKind.Internal ? exception : null, attempt.Slug, failure.GithubStatus, failure.Text, failure.Kind.Code, nextAttemptAt);
        return counts ? new JobFailedException(attempt.Slug, failure, nextAttemptAt) : null;
    }

    /// <summary>Changes the row, where the project still has one.</summary>
    private async Task SaveAsync(Guid projectId, Action<RepoCreation> change, CancellationToken cancellationToken) => await db.InTransactionAsync(async token =>
    {
        var creation = await db.RepoCreations.FromSql($"SELECT * FROM repo_creations WHERE project_id = {projectId} FOR UPDATE").AsTracking().SingleOrDefaultAsync(token);
        if (creation is not null)
            change(creation);
        return creation;
    }, cancellationToken);

    private bool IsAlive(string jobId)
    {
        using var connection = storage.GetConnection();
        return RepoCreationQueue.IsAlive(connection.GetStateData(jobId)?.Name);
    }

    /// <summary>What one run works with. The name tried is what an earlier attempt wrote down before its POST, and may have created.</summary>
    private sealed record Attempt(Guid ProjectId, string Slug, string ProjectName, string JobId, string? NameTried);

    [LoggerMessage(Level = LogLevel.Information, Message = "Created repository {Repository} for {Slug}")]
    private partial void LogCreated(string slug, string repository);

    [LoggerMessage(Level = LogLevel.Information, Message = "Adopted repository {Repository} for {Slug}: an earlier attempt had made it")]
    private partial void LogAdopted(string slug, string repository);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Created repository {Repository} for {Slug}, but it is linked to {Chosen}")]
    private partial void LogCreatedBeside(string slug, string repository, string chosen);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Repository name {RepositoryName}, wanted for {Slug}, belongs to someone else")]
    private partial void LogNameTaken(string slug, string repositoryName);

    [LoggerMessage(Level = LogLevel.Error, Message = "Creating the repository for {Slug} failed: {Status} {GithubError} ({Code}), next attempt {NextAttemptAt}")]
    private partial void LogFailed(Exception? exception, string slug, int? status, string githubError, string code, DateTime? nextAttemptAt);

    [LoggerMessage(Level = LogLevel.Information, Message = "Project {ProjectId} is gone, no repository is created")]
    private partial void LogProjectGone(Guid projectId);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Slug} has repository {Repository}, none is created")]
    private partial void LogHasRepository(string slug, string repository);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId} for {Slug} has nothing to do: the admin's choice settled it")]
    private partial void LogSettled(string slug, string jobId);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId} for {Slug} steps aside for job {Owner}")]
    private partial void LogSuperseded(string slug, string jobId, string owner);
}
