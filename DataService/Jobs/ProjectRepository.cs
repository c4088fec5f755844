using DataService.Data;
using DataService.Domain;
using DataService.Http;

namespace DataService.Jobs;

/// <summary>What a person decides about one project's repository, over REST or in the dashboard.</summary>
internal sealed class ProjectRepository(
    DataServiceDbContext db, JobTransaction transaction, RepoCreationQueue queue, AuditTrail audit, TimeProvider time)
{
    /// <summary>Runs the creation again, or for the first time.</summary>
    /// <param name="slug">The project's, whatever it holds.</param>
    /// <param name="reason">A person's; null for none.</param>
    /// <param name="cancellationToken">Rolls it back.</param>
    /// <returns>Null where there is no such project.</returns>
    /// <exception cref="InvalidTransitionException">The project is not approved, or has a repository.</exception>
    public Task<RepoCreation?> RequeueAsync(string slug, string? reason, CancellationToken cancellationToken) => transaction.ExecuteAsync<RepoCreation?>(
        async (jobs, token) =>
        {
            if (await db.LockProjectAsync(slug, token) is not { } project)
                return null;
            var (begun, before) = (time.UtcNow, project.RepoCreation?.JobId);
            var requeued = queue.Requeue(project, jobs);
            var isNew = requeued.JobId != before;
            audit.Record(
                db, AuditAction.Requeue, project, count: isNew ? 1 : 0, reason: reason, detail: isNew ? null : "it was under way already", at: begun);
            return requeued;
        },
        cancellationToken);

    /// <summary>Links the repository that the person chose, or none.</summary>
    /// <param name="slug">The project's, whatever it holds.</param>
    /// <param name="fullName">Checked by <see cref="RepositoryName.IsFullName"/>; null for none.</param>
    /// <param name="cancellationToken">Rolls it back.</param>
    /// <returns>Null where there is no such project.</returns>
    public Task<Project?> ChooseAsync(string slug, string? fullName, CancellationToken cancellationToken) => db.InTransactionAsync<Project?>(
        async token =>
        {
            if (await db.LockProjectAsync(slug, token) is not { } project)
                return null;
            var action = fullName is null ? AuditAction.ClearRepository : AuditAction.ChooseRepository;
            audit.Record(db, action, project, detail: fullName ?? project.GithubRepo);
            project.ChooseRepository(fullName, time.UtcNow);
            if (fullName is not null)
                await db.UnlinkIssuesAsync(project.Id, fullName, isNew: false, token);
            return project;
        },
        cancellationToken);
}
