using DataService.Data;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace DataService.Projects;

/// <summary>
/// Saves the admin's approval and, in the same transaction, enqueues the job that creates the repository. GitHub is not called
/// here, and nothing that it does can undo the approval.
/// </summary>
internal static class ApproveProject
{
    public static async Task<Results<Ok<ProjectResponse>, ProblemHttpResult>> HandleAsync(
        string slug, [FromKeyedServices(DataSetup.SingleStatements)] NpgsqlDataSource dataSource, DataServiceDbContext db, JobTransaction transaction,
        JobSignal signal, RepoCreationQueue queue, AuditTrail audit, CreationMetrics metrics, TimeProvider time, ILogger<JobTransaction> logger,
        CancellationToken cancellationToken)
    {
        if (await PlainApproval.TryAsync(dataSource, slug, audit.Entry(AuditAction.Approve, null, slug), logger, cancellationToken) is { } plain)
        {
            signal.Wake();
            metrics.Approved();
            return TypedResults.Ok(plain);
        }

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
        if (approved is not null)
            metrics.Approved();
        return approved is null ? Problems.NoSuchProject(slug) : TypedResults.Ok(ProjectResponse.From(approved));
    }
}
