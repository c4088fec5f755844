using DataService.Data;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs;

namespace DataService.Projects;

/// <summary>The approval of a project in whatever state.</summary>
internal sealed class ApprovalByEntities(
    DataServiceDbContext db, JobTransaction transaction, RepoCreationQueue queue, AuditTrail audit, TimeProvider time)
{
    /// <returns>Null where there is no such project.</returns>
    /// <exception cref="InvalidTransitionException">The project's state does not allow it.</exception>
    public async Task<ProjectResponse?> ApproveAsync(string slug, CancellationToken cancellationToken)
    {
        var approved = await transaction.ExecuteAsync(async (jobs, token) =>
        {
            var project = await db.LockProjectAsync(slug, token);
            if (project is null)
                return null;
            audit.Record(db, AuditAction.Approve, project, detail: project.ApprovedAt is null ? null : "again");
            project.Approve(time.UtcNow);
            queue.EnsureEnqueued(project, jobs);
            return project;
        }, cancellationToken);
        return approved is null ? null : ProjectResponse.From(approved);
    }
}
