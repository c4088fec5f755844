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
    DateTime CreatedAt)
{
    public static TaskResponse From(ProjectTask task) => new(
        task.Id, task.ProjectId, task.Title, task.Description, task.Status, task.GithubIssueNumber, task.GithubIssueUrl, task.SortOrder,
        task.CreatedAt);
}
