using DataService.Benchmarks.Chaos;
using GitHubSimulator.Repositories;

namespace DataService.Tests.Reliability;

/// <summary>An audit that finds nothing proves something only where it finds what is there.</summary>
public sealed class AuditTests
{
    private static readonly Guid Shop = Guid.Parse("01997a2e-0000-7000-8000-000000000001");
    private static readonly Guid Till = Guid.Parse("01997a2e-0000-7000-8000-000000000002");

    private readonly Dictionary<Guid, string> _acknowledged = new() { [Shop] = "shop", [Till] = "till" };
    private readonly List<ProjectRow> _projects = [Project(Shop, "shop", "org/shop"), Project(Till, "till", "org/till-x1y2")];
    private readonly List<SimulatedRepository> _repositories = [Repository("shop", Shop), Repository("till-x1y2", Till), Stranger("till")];

    private Audit Audit => Audit.Of(_acknowledged, _projects, _repositories);

    [Fact]
    public void One_repository_for_each_approval_is_clean() => Assert.Empty(Audit.All);

    [Fact]
    public void A_second_repository_of_a_project_is_a_duplicate_and_an_orphan()
    {
        _repositories.Add(Repository("shop-a1b2", Shop));

        Assert.Contains("org/shop-a1b2", Assert.Single(Audit.Duplicates).Text, StringComparison.Ordinal);
        Assert.Contains("org/shop-a1b2", Assert.Single(Audit.Orphans).Text, StringComparison.Ordinal);
        Assert.Empty(Audit.Missing);
        Assert.Empty(Audit.Wrong);
    }

    [Fact]
    public void A_repository_of_ours_without_a_link_is_an_orphan_and_its_approval_is_missing()
    {
        _projects[0] = Project(Shop, "shop", githubRepo: null);

        Assert.Equal("shop", Assert.Single(Audit.Orphans).Slug);
        Assert.Contains("creation failed", Assert.Single(Audit.Missing).Text, StringComparison.Ordinal);
        Assert.Empty(Audit.Duplicates);
    }

    [Fact]
    public void A_repository_of_a_project_that_is_gone_is_an_orphan()
    {
        _repositories.Add(Repository("gone", Guid.NewGuid()));

        Assert.Null(Assert.Single(Audit.Orphans).Slug);
    }

    [Fact]
    public void A_repository_without_a_mark_that_no_stranger_made_is_an_orphan()
    {
        _repositories.Add(Repository("unmarked", project: null));

        Assert.Contains("org/unmarked", Assert.Single(Audit.Orphans).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_acknowledged_approval_whose_project_is_lost_is_missing()
    {
        _acknowledged[Guid.NewGuid()] = "lost";

        Assert.Equal("lost", Assert.Single(Audit.Missing).Slug);
    }

    [Fact]
    public void A_link_to_nothing_is_missing()
    {
        _repositories.RemoveAt(0);

        Assert.Contains("does not exist", Assert.Single(Audit.Missing).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_public_repository_is_missing()
    {
        _repositories[0] = _repositories[0] with { Private = false };

        Assert.Equal("shop", Assert.Single(Audit.Missing).Slug);
    }

    [Fact]
    public void A_link_to_another_projects_repository_is_missing()
    {
        _projects[0] = Project(Shop, "shop", "org/till-x1y2");

        Assert.Equal("shop", Assert.Single(Audit.Missing).Slug);
        Assert.Contains("org/shop", Assert.Single(Audit.Orphans).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_to_a_strangers_repository_is_wrong_also_where_the_approval_was_never_acknowledged()
    {
        _projects.Add(Project(Guid.NewGuid(), "third", "org/till"));

        Assert.Equal("third", Assert.Single(Audit.Wrong).Slug);
        Assert.Empty(Audit.Missing);
    }

    [Fact]
    public void A_project_whose_approval_was_never_acknowledged_needs_no_repository()
    {
        _projects.Add(Project(Guid.NewGuid(), "third", githubRepo: null));

        Assert.Empty(Audit.All);
    }

    private static ProjectRow Project(Guid id, string slug, string? githubRepo) => new(id, slug, githubRepo, "creation failed");

    private static SimulatedRepository Repository(string name, Guid? project) => new()
    {
        Id = name.Length,
        Owner = "org",
        Name = name,
        Description = project is null ? null : $"{name} [dataservice:{project:D}]",
        Private = true,
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };

    private static SimulatedRepository Stranger(string name) => Repository(name, project: null) with { Stranger = true };
}
