using DataService.Domain;

namespace DataService.Http;

/// <summary>A task as the REST contract shows it, wherever it stands.</summary>
internal sealed record TaskResponse(
    Guid Id,
    Guid ProjectId,
    string Title,
    string? Description,
    string Status,
    int? GithubIssueNumber,
    string? GithubIssueUrl,
    int SortOrder,
    DateTime CreatedAt) : IWithExample
{
    public static object Example => new TaskResponse(
        Guid.Parse("01997a2e-0000-7000-8000-000000000003"), Guid.Parse("01997a2e-0000-7000-8000-000000000001"), "Build the basket", "Keeps what was put into it.",
        ProjectTask.Pending, 1, "https://github.com/auditmos-projects/acme-shop/issues/1", 0, new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc));

    public static TaskResponse From(ProjectTask task) => new(
        task.Id, task.ProjectId, task.Title, task.Description, task.Status, task.GithubIssueNumber, task.GithubIssueUrl, task.SortOrder,
        task.CreatedAt);
}
