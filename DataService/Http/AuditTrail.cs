using DataService.Data;
using DataService.Domain;

namespace DataService.Http;

/// <summary>Writes down who changed what, with the change itself: both are saved or neither is.</summary>
internal sealed class AuditTrail(Caller caller, TimeProvider time)
{
    /// <summary>Adds an entry to what the caller is about to save; that costs no round trip of its own.</summary>
    /// <param name="db">Whose next save commits the change.</param>
    /// <param name="action">What was done.</param>
    /// <param name="project">The one project that it is about; null where it is about many or none.</param>
    /// <param name="count">How many projects or jobs it changed.</param>
    /// <param name="reason">Why, in the caller's own words.</param>
    /// <param name="detail">What exactly, for people.</param>
    /// <param name="at">UTC; when it was begun, where the change has come first. Null for now.</param>
    public void Record(
        DataServiceDbContext db, AuditAction action, Project? project = null, int count = 1, string? reason = null, string? detail = null,
        DateTime? at = null) =>
        Record(db, action, project?.Id, project?.Slug, count, reason, detail, at);

    /// <summary>The same for a project that is not loaded, or gone.</summary>
    /// <param name="db">Whose next save commits the change.</param>
    /// <param name="action">What was done.</param>
    /// <param name="projectId">The project's.</param>
    /// <param name="slug">The project's; null where it is gone.</param>
    /// <param name="count">How many projects or jobs it changed.</param>
    /// <param name="reason">Why, in the caller's own words.</param>
    /// <param name="detail">What exactly, for people.</param>
    /// <param name="at">UTC; when it was begun, where the change has come first. Null for now.</param>
    public void Record(
        DataServiceDbContext db, AuditAction action, Guid? projectId, string? slug, int count, string? reason, string? detail,
        DateTime? at = null) =>
        db.AuditEntries.Add(Entry(action, projectId, slug, count, reason, detail, at));

    /// <summary>The entry alone, for a change that writes it by a statement of its own.</summary>
    public AuditEntry Entry(
        AuditAction action, Guid? projectId, string? slug, int count = 1, string? reason = null, string? detail = null, DateTime? at = null) =>
        new(at ?? time.UtcNow, caller.Actor, caller.Origin, action)
        {
            ProjectId = projectId,
            Slug = slug,
            Count = count,
            Reason = reason,
            Detail = detail,
            RequestId = caller.RequestId,
        };
}
