using DataService.Domain;
using DataService.Http;
using DataService.Jobs;

namespace DataService.Projects;

internal sealed record ProjectResponse(
    Guid Id, string Name, string Slug, ProjectStatus Status, string? GithubRepo, DateTime CreatedAt, RepoCreationResponse? RepoCreation)
    : IWithExample
{
    static object IWithExample.Example => new ProjectResponse(
        Guid.Parse("01997a2e-0000-7000-8000-000000000001"), "Acme Shop", "acme-shop", ProjectStatus.Review, "auditmos-projects/acme-shop",
        new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc), (RepoCreationResponse)RepoCreationResponse.Example);

    public static ProjectResponse From(Project project) => new(
        project.Id, project.Name, project.Slug, project.Status, project.GithubRepo, project.CreatedAt,
        project.RepoCreation is { } creation ? RepoCreationResponse.From(creation) : null);
}
