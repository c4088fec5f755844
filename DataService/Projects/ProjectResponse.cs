using DataService.Domain;
using DataService.Jobs;

namespace DataService.Projects;

internal sealed record ProjectResponse(
    Guid Id, string Name, string Slug, ProjectStatus Status, string? GithubRepo, DateTime CreatedAt, RepoCreationResponse? RepoCreation)
{
    public static ProjectResponse From(Project project) => new(
        project.Id, project.Name, project.Slug, project.Status, project.GithubRepo, project.CreatedAt,
        project.RepoCreation is { } creation ? RepoCreationResponse.From(creation) : null);
}
