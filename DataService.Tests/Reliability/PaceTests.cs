using DataService.Tests.Support;
using GitHubSimulator.Limits;

namespace DataService.Tests.Reliability;

/// <summary>Two instances against a GitHub that blocks whoever goes too fast. Its minute, and ours, last six seconds here.</summary>
public sealed class PaceTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private const int Approvals = 600;

    protected override Dictionary<string, string?> Settings => new() { ["GitHub:ContentBudget"] = "10/s, 60/6s", ["Jobs:Workers"] = "10" };

    [Fact]
    public async Task Six_hundred_approvals_at_once_are_all_created_without_one_call_too_many()
    {
        Service.GitHub.ContentLimit.Set(new ContentRules { ContentPerMinute = 80, ContentWindowSeconds = 6, BlockSeconds = 6 });
        await using var other = await Service.StartAnotherAsync();
        await Service.QueryAsync<int>(
            $"INSERT INTO projects (id, name, slug, status, created_at) SELECT gen_random_uuid(), 'Rush ' || n, 'rush-' || n, 'interviewing', now() FROM generate_series(1, {Approvals}) n");

        await Parallel.ForEachAsync(
            Enumerable.Range(1, Approvals), new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancelled },
            async (n, token) => Assert.Equal(HttpStatusCode.OK, (await Service.Http.PostAsync($"/projects/rush-{n}/approve", null, token)).StatusCode));

        await Eventually.ReturnsAsync(
            () => Service.QueryAsync<long>("SELECT count(*) FROM projects WHERE github_repo = 'auditmos-projects/' || slug"),
            created => created == Approvals, "all repositories", TimeSpan.FromMinutes(5));
        var usage = Service.GitHub.ContentLimit.Usage;
        Assert.Equal((Approvals, 0, 0), (usage.ContentCalls, usage.Blocks, usage.CallsWhileBlocked));
        Assert.Equal(Approvals, Service.GitHub.Repositories.All.Count);
        // Waiting has cost nobody an attempt.
        Assert.Equal((long)Approvals, await Service.QueryAsync<long>("SELECT count(*) FROM repo_creations WHERE state = 'created' AND attempts = 1"));
    }
}
