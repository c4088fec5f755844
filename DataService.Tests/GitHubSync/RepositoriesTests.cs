using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.GitHubSync;

public sealed class RepositoriesTests(PostgresCluster cluster) : GitHubSyncTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    [Fact]
    public async Task Every_page_of_what_the_token_sees_comes_sorted_by_name()
    {
        var names = Enumerable.Range(0, 250).Select(i => $"repo-{i:D3}").ToList();
        foreach (var name in names.OrderByDescending(name => name[^1]))
            Add(name);

        var repositories = await (await ListAsync()).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(names.Select(name => $"{RunningService.Organization}/{name}"), repositories.EnumerateArray().Select(r => r.GetProperty("fullName").GetString()));
        Assert.Equal(
            $$"""{"fullName":"{{RunningService.Organization}}/repo-000","defaultBranch":"main","private":true}""", repositories[0].GetRawText());
        Assert.Equal(3, Service.GitHub.Requests.Of("GET", "/user/repos").Count);
    }

    /// <summary>The page is answered with 304, and what was kept of it leads to no other one.</summary>
    [Fact]
    public async Task What_comes_after_a_last_page_that_was_full_and_has_not_changed_shows()
    {
        foreach (var i in Enumerable.Range(0, 100))
            Add($"repo-{i:D3}");
        Assert.Equal(100, (await (await ListAsync()).ReadAsync(HttpStatusCode.OK)).GetArrayLength());
        foreach (var i in Enumerable.Range(100, 5))
            Add($"repo-{i:D3}");

        await Eventually.ReturnsAsync(
            async () => (await (await ListAsync()).ReadAsync(HttpStatusCode.OK)).GetArrayLength(), count => count is 105, "the five that came", TimeSpan.FromSeconds(10));

        Assert.Contains(Service.GitHub.Requests.Of("GET", "/user/repos"), request => request.Status is 304);
    }

    [Fact]
    public async Task Many_callers_at_once_share_one_round()
    {
        Add("one");
        Service.Break(new FaultRule { Kind = FaultKind.Delay, DelayMs = 500, Times = 1 });

        var responses = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => ListAsync()));

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Single(Service.GitHub.Requests.Of("GET", "/user/repos"));
    }

    [Fact]
    public async Task A_repository_that_the_job_created_shows_at_once()
    {
        Add("old");
        await ListAsync();
        var slug = await Service.CreateProjectAsync("Brand new");
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "created");

        var repositories = await (await ListAsync()).ReadAsync(HttpStatusCode.OK);

        Assert.Contains(repositories.EnumerateArray(), r => r.GetProperty("fullName").GetString() == $"{RunningService.Organization}/brand-new");
    }

    [Fact]
    public async Task A_repository_that_was_made_on_GitHub_shows_within_a_moment_and_what_stayed_is_only_revalidated()
    {
        Add("old");
        await ListAsync();
        await Eventually.ReturnsAsync(
            async () => { await ListAsync(); return Service.GitHub.Requests.Of("GET", "/user/repos"); },
            requests => requests.Count >= 2 && requests[^1].Status is 304, "a revalidation", TimeSpan.FromSeconds(10));

        Add("new");

        await Eventually.ReturnsAsync(
            async () => (await (await ListAsync()).ReadAsync(HttpStatusCode.OK)).GetArrayLength(), count => count is 2, "the new one to show", TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_failure_is_answered_and_not_remembered()
    {
        Add("one");
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.BadCredentials, Times = 1 });
        await (await ListAsync()).ReadProblemAsync(HttpStatusCode.Unauthorized, "GITHUB_UNAUTHORIZED");

        Assert.Equal(1, (await (await ListAsync()).ReadAsync(HttpStatusCode.OK)).GetArrayLength());
    }

    [Fact]
    public async Task Without_a_token_it_says_so()
    {
        await using var tokenless = await RunningService.StartAsync(_cluster, new() { ["GITHUB_TOKEN"] = null });

        await (await tokenless.Http.GetAsync("/github/repos", Cancelled)).ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "GITHUB_TOKEN_MISSING");
    }

    private void Add(string name) => Assert.NotNull(Service.GitHub.Repositories.Create(RunningService.Organization, name, isPrivate: true, description: null));

    [Theory]
    [InlineData("[null]")]
    [InlineData("[{}]")]
    [InlineData("""[{ "id": 1, "name": "work" }]""")]
    public async Task A_list_of_what_is_no_repository_is_a_failure_of_GitHub(string body)
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Status = 200, Body = body });

        await (await ListAsync()).ReadProblemAsync(HttpStatusCode.BadGateway, "GITHUB_UNAVAILABLE");
    }

    private Task<HttpResponseMessage> ListAsync() => Service.Http.GetAsync("/github/repos", Cancelled);
}
