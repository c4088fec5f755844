using System.ComponentModel.DataAnnotations;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Projects;

/// <param name="Status">The status to go to.</param>
public sealed record ChangeStatusRequest(
    [property: Required(ErrorMessage = "Give the new status."),
        AllowedValues("interviewing", "review", "active", "complete", ErrorMessage = "status must be one of interviewing, review, active, complete.")]
    string Status) : IWithExample
{
    static object IWithExample.Example => new ChangeStatusRequest("active");
}

internal static class ChangeStatus
{
    public static async Task<Results<Ok<ProjectResponse>, ProblemHttpResult>> HandleAsync(
        string slug, ChangeStatusRequest request, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        var target = Enum.Parse<ProjectStatus>(request.Status, ignoreCase: true);
        var changed = await db.InTransactionAsync(async token =>
        {
            var project = await db.LockProjectAsync(slug, token);
            project?.ChangeStatus(target);
            return project;
        }, cancellationToken);
        return changed is null ? Problems.NoSuchProject(slug) : TypedResults.Ok(ProjectResponse.From(changed));
    }
}
