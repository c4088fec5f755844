using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.GitHubSync;

public sealed class PushConnectionsTests(PostgresCluster cluster)
{
    private const int Connections = 4;

    private const string IssueList = "/repos/*/*/issues";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task As_many_pushes_as_there_are_connections_leave_them_to_others()
    {
        await using var service = await RunningService.StartAsync(
            $"{await cluster.CreateDatabaseAsync()};Maximum Pool Size={Connections}", replace: StoredCreations.WithoutWorkers);
        var slugs = new List<string>();
        for (var i = 0; i < Connections; i++)
        {
            var slug = await service.CreateProjectAsync($"Work {i}");
            var repository = service.GitHub.Repositories.Create(RunningService.Organization, slug, isPrivate: true, description: null)!;
            await (await service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = repository.FullName }, Cancelled)).ReadAsync(HttpStatusCode.OK);
            await service.AddTaskAsync(slug, "Task");
            slugs.Add(slug);
        }

        service.Break(new FaultRule { Kind = FaultKind.Hang, Method = "GET", Path = IssueList });
        var pushes = slugs.Select(slug => service.Http.PostAsync($"/github/projects/{slug}/push", null, Cancelled)).ToList();
        await Eventually.ReturnsAsync(
            () => Task.FromResult(service.GitHub.Requests.Of("GET", IssueList).Count), count => count is Connections, "all pushes to wait for GitHub");

        await (await service.Http.GetAsync("/projects", Cancelled)).ReadAsync(HttpStatusCode.OK);

        service.GitHub.Faults.Clear();
        foreach (var push in pushes)
            await (await push).ReadAsync(HttpStatusCode.OK);
    }
}
