using System.Text.RegularExpressions;
using GitHubSimulator.Repositories;

namespace DataService.Benchmarks.Chaos;

/// <summary>A project as the database holds it in the end.</summary>
/// <param name="Id">In the mark of its repository.</param>
/// <param name="Slug">Its name for people.</param>
/// <param name="GithubRepo">The repository that it is linked to; null: none.</param>
/// <param name="State">Its creation's state and its job's, in words.</param>
internal sealed record ProjectRow(Guid Id, string Slug, string? GithubRepo, string State);

/// <summary>Something that must not be.</summary>
/// <param name="Slug">The project's; null where a repository belongs to none.</param>
/// <param name="Text">What is wrong, with names.</param>
internal sealed record Violation(string? Slug, string Text);

/// <summary>
/// Compares the database with GitHub, without asking the service. Pure. A repository is ours where it bears a project's mark, and every one
/// that no stranger put there has to bear one.
/// </summary>
/// <param name="Duplicates">Projects with more than one repository.</param>
/// <param name="Orphans">Repositories of ours that their project is not linked to.</param>
/// <param name="Missing">Acknowledged approvals without a private repository of their own at the end of the link.</param>
/// <param name="Wrong">Projects that are linked to a stranger's repository.</param>
internal sealed partial record Audit(
    IReadOnlyList<Violation> Duplicates, IReadOnlyList<Violation> Orphans, IReadOnlyList<Violation> Missing, IReadOnlyList<Violation> Wrong)
{
    public IEnumerable<Violation> All => [.. Duplicates, .. Orphans, .. Missing, .. Wrong];

    /// <param name="acknowledged">Id and slug of each project whose approval was acknowledged.</param>
    /// <param name="projects">All that the database holds.</param>
    /// <param name="repositories">All that GitHub holds.</param>
    public static Audit Of(
        IReadOnlyDictionary<Guid, string> acknowledged,
        IReadOnlyCollection<ProjectRow> projects,
        IReadOnlyCollection<SimulatedRepository> repositories)
    {
        var byId = projects.ToDictionary(project => project.Id);
        var byName = repositories.ToDictionary(repository => repository.FullName, StringComparer.OrdinalIgnoreCase);
        var ours = repositories.Where(repository => !repository.Stranger).ToList();
        return new(
            [.. ours.Where(repository => ProjectOf(repository) is not null).GroupBy(repository => ProjectOf(repository)!.Value)
                .Where(of => of.Count() > 1).Select(of => Duplicate(of.Key, of))],
            [.. ours.Select(Orphan).OfType<Violation>()],
            [.. acknowledged.Select(approval => Missing(approval.Key, approval.Value)).OfType<Violation>()],
            [.. projects.Where(project => project.GithubRepo is { } name && byName.GetValueOrDefault(name) is { Stranger: true })
                .Select(project => new Violation(project.Slug, $"{project.Slug} is linked to a stranger's {project.GithubRepo}"))]);

        Violation Duplicate(Guid id, IEnumerable<SimulatedRepository> of) => new(
            byId.GetValueOrDefault(id)?.Slug,
            $"{byId.GetValueOrDefault(id)?.Slug ?? $"{id}"} has {string.Join(" and ", of.Select(repository => repository.FullName))}");

        Violation? Orphan(SimulatedRepository repository)
        {
            var project = ProjectOf(repository) is { } id ? byId.GetValueOrDefault(id) : null;
            return IsLinked(project, repository)
                ? null
                : new(project?.Slug, $"{repository.FullName} is linked to no project ({repository.Description})");
        }

        Violation? Missing(Guid id, string slug)
        {
            if (byId.GetValueOrDefault(id) is not { } project)
                return new(slug, $"{slug} is not in the database");
            if (project.GithubRepo is not { } name)
                return new(slug, $"{slug} has no repository: {project.State}");
            if (byName.GetValueOrDefault(name) is not { } repository)
                return new(slug, $"{slug} is linked to {name}, which does not exist");
            return repository is { Private: true, Stranger: false } && ProjectOf(repository) == id
                ? null
                : new(slug, $"{slug} is linked to {name}, which is no private repository of its own ({repository.Description})");
        }
    }

    private static bool IsLinked(ProjectRow? project, SimulatedRepository repository) =>
        project is { GithubRepo: { } name } && name.Equals(repository.FullName, StringComparison.OrdinalIgnoreCase);

    private static Guid? ProjectOf(SimulatedRepository repository) =>
        Mark().Match(repository.Description ?? "") is { Success: true } mark ? Guid.Parse(mark.Groups["id"].ValueSpan) : null;

    [GeneratedRegex(@"\[dataservice:(?<id>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})\]")]
    private static partial Regex Mark();
}
