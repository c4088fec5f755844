using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace DataService.RepoCreations;

/// <param name="DryRun">False mends at once what can be mended; true, which is the default, only reports.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ReconcileRequest(bool DryRun = true) : IWithExample
{
    static object IWithExample.Example => new ReconcileRequest();
}

/// <param name="Kind">missing, renamed, vanished or orphan.</param>
/// <param name="Subject">The project's slug, or an orphan's full name.</param>
/// <param name="Detail">For people.</param>
/// <param name="FirstSeenAt">When a round saw it first.</param>
/// <param name="Action">What was done about it in this round.</param>
internal sealed record ReconciledResponse(FindingKind Kind, string Subject, string Detail, DateTime FirstSeenAt, string? Action);

/// <param name="DryRun">Whether nothing was changed.</param>
/// <param name="Found">How many differences there are.</param>
/// <param name="Mended">How many were mended now.</param>
/// <param name="GithubError">Why GitHub could not be compared with; projects and jobs were compared all the same.</param>
/// <param name="Findings">The first hundred.</param>
internal sealed record ReconcileResponse(bool DryRun, int Found, int Mended, string? GithubError, IReadOnlyList<ReconciledResponse> Findings) : IWithExample
{
    static object IWithExample.Example => new ReconcileResponse(true, 1, 0, null,
    [
        new ReconciledResponse(FindingKind.Renamed, "acme-shop", "auditmos-projects/acme-shop is called auditmos-projects/acme now.", new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc), null),
    ]);
}

/// <param name="Kind">missing, renamed, vanished or orphan.</param>
/// <param name="Subject">The project's slug, or an orphan's full name.</param>
/// <param name="Detail">For people.</param>
/// <param name="FirstSeenAt">When a round saw it first.</param>
/// <param name="LastSeenAt">When a round saw it last.</param>
/// <param name="Action">What was done about it.</param>
/// <param name="SettledAt">Null while it is open.</param>
internal sealed record FindingResponse(FindingKind Kind, string Subject, string Detail, DateTime FirstSeenAt, DateTime LastSeenAt, string? Action, DateTime? SettledAt) : IWithExample
{
    static object IWithExample.Example => new FindingResponse(
        FindingKind.Renamed, "acme-shop", "auditmos-projects/acme-shop is called auditmos-projects/acme now.",
        new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc), new DateTime(2026, 1, 5, 9, 45, 0, DateTimeKind.Utc), "Linked as auditmos-projects/acme.",
        new DateTime(2026, 1, 5, 9, 45, 0, DateTimeKind.Utc));
}

/// <summary>A round of the reconciliation on demand, and what the rounds so far have found.</summary>
internal static class Reconcile
{
    public static async Task<Ok<ReconcileResponse>> RunAsync(
        ReconcileRequest request, Reconciliation reconciliation, DataServiceDbContext db, AuditTrail audit, CancellationToken cancellationToken)
    {
        var report = await reconciliation.RunAsync(request.DryRun ? ReconciliationMode.Report : ReconciliationMode.RepairAtOnce, cancellationToken);
        if (!request.DryRun)
        {
            audit.Record(db, AuditAction.Reconcile, count: report.Mended, detail: $"{report.Found} found");
            await db.SaveChangesAsync(cancellationToken);
        }

        return TypedResults.Ok(new ReconcileResponse(
            request.DryRun, report.Found, report.Mended, report.GithubError,
            [.. report.Findings.Select(f => new ReconciledResponse(f.Kind, f.Subject, f.Detail, f.FirstSeenAt, f.Action))]));
    }

    public static async Task<Ok<FindingResponse[]>> FindingsAsync(
        DataServiceDbContext db, CancellationToken cancellationToken, bool open = true,
        [Range(1, 100, ErrorMessage = "limit must be from 1 to 100.")] int limit = 100)
    {
        var findings = await db.Findings.AsNoTracking().Where(f => !open || f.SettledAt == null).OrderByDescending(f => f.Id).Take(limit).ToArrayAsync(cancellationToken);
        return TypedResults.Ok(Array.ConvertAll(findings, f => new FindingResponse(f.Kind, f.Subject, f.Detail, f.FirstSeenAt, f.LastSeenAt, f.Action, f.SettledAt)));
    }
}
