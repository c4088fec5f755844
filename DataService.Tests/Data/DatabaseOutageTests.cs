using DataService.Data;
using DataService.Tests.Support;

namespace DataService.Tests.Data;

/// <summary>PostgreSQL goes away under a running service, on a cluster of the test's own.</summary>
public sealed class DatabaseOutageTests : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"dataservice-tests-outage-{Guid.NewGuid():N}");
    private EmbeddedPostgres? _postgres;
    private RunningService? _service;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private RunningService Service => _service ?? throw new InvalidOperationException("The service is not started.");

    public async ValueTask InitializeAsync()
    {
        _postgres = await EmbeddedPostgres.StartAsync(_folder, new EmbeddedPostgresOptions { ThrowAway = true }, Cancelled);
        _service = await RunningService.StartAsync(_postgres.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
    }

    [Fact]
    public async Task While_the_database_is_away_requests_are_answered_with_503_a_code_and_a_time_to_come_back()
    {
        var slug = await Service.CreateProjectAsync("Before");
        await _postgres!.DisposeAsync();

        foreach (var request in (Func<Task<HttpResponseMessage>>[])
            [
                () => Service.Http.GetAsync($"/projects/{slug}", Cancelled),
                () => Service.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled),
                () => Service.Http.PostAsJsonAsync("/projects", new { name = "During" }, Cancelled),
                () => Service.Http.PostAsync($"/projects/{slug}/repo-creation", null, Cancelled),
                () => Service.Anonymous.GetAsync($"/projects/{slug}/client-view", Cancelled),
            ])
        {
            var response = await request();
            await response.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "DATABASE_UNAVAILABLE");
            Assert.Equal(TimeSpan.FromSeconds(5), response.Headers.RetryAfter?.Delta);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Service.Anonymous.GetAsync("/health/ready", Cancelled)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Service.Anonymous.GetAsync("/health/live", Cancelled)).StatusCode);
    }

    [Fact]
    public async Task Across_a_crash_of_the_database_no_acknowledged_approval_is_lost_and_all_goes_on_by_itself()
    {
        var slugs = new List<string>();
        for (var i = 0; i < 20; i++)
            slugs.Add(await Service.CreateProjectAsync($"Crash {i}"));

        var acknowledged = new List<string>();
        var approvals = Task.Run(
            async () =>
            {
                foreach (var slug in slugs)
                {
                    HttpResponseMessage response;
                    while ((response = await Service.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled)).StatusCode is not HttpStatusCode.OK)
                        await response.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "DATABASE_UNAVAILABLE");
                    lock (acknowledged)
                        acknowledged.Add(slug);
                }
            }, Cancelled);
        await Eventually.ReturnsAsync(
            () =>
            {
                lock (acknowledged)
                    return Task.FromResult(acknowledged.Count);
            }, count => count > 4, "some approvals");
        await _postgres!.RestartAsync();
        await approvals;

        foreach (var slug in slugs)
        {
            var project = await Eventually.ReturnsAsync(
                () => Service.GetProjectAsync(slug), p => p.GetProperty("githubRepo").GetString() is not null, $"the repository of {slug}", TimeSpan.FromMinutes(2));
            Assert.Equal($"auditmos-projects/{slug}", project.GetProperty("githubRepo").GetString());
        }

        Assert.Equal(slugs.Order(), Service.GitHub.Repositories.All.Select(repository => repository.Name).Order());
    }

    [Fact]
    public async Task Connections_that_are_cut_under_their_requests_are_replaced_without_anyone_noticing()
    {
        var slug = await Service.CreateProjectAsync("Cut");
        for (var i = 0; i < 5; i++)
        {
            await Service.QueryAsync<int>("SELECT count(pg_terminate_backend(pid))::int FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
            await Service.ApproveAsync(slug);
        }

        await Service.CreationReachesAsync(slug, "created");
        Assert.Single(Service.GitHub.Repositories.All);
    }
}
