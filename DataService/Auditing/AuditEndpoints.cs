using DataService.Http;

namespace DataService.Auditing;

internal static class AuditEndpoints
{
    public static void MapAudit(this IEndpointRouteBuilder app) => app.MapGroup("/audit").WithTags("Audit")
        .MapQuery("", ListAudit.HandleAsync).WithName("listAudit")
        .WithSummary("List who did what, newest first")
        .WithDescription(
            "Approvals, choices of a repository, re-runs, pauses, resumptions and deletions, by people, scripts and the service itself. "
            + "An entry is never changed, and outlives its project.");
}
