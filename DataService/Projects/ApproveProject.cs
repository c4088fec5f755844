using DataService.Domain;
using DataService.Http;
using DataService.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Projects;

/// <summary>
/// Saves the admin's approval and, in the same transaction, enqueues the job that creates the repository. GitHub is not called
/// here, and nothing that it does can undo the approval.
/// </summary>
internal static class ApproveProject
{
    public static async Task<Results<Ok<ProjectResponse>, ProblemHttpResult>> HandleAsync(
        string slug, PlainApproval plainly, AuditTrail audit, CreationMetrics metrics, HttpContext context, CancellationToken cancellationToken)
    {
        if (await plainly.TryAsync(slug, audit.Entry(AuditAction.Approve, null, slug), cancellationToken) is { } plain)
            return TypedResults.Ok(plain);
        // Made only where it is needed: most approvals need no context of the database.
        var approval = context.RequestServices.GetRequiredService<ApprovalByEntities>();
        if (await approval.ApproveAsync(slug, cancellationToken) is not { } approved)
            return Problems.NoSuchProject(slug);
        metrics.Approved();
        return TypedResults.Ok(approved);
    }
}
