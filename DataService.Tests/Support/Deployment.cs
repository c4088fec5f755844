using System.Net.Http.Headers;
using System.Text.Json;
using GitHubSimulator;

namespace DataService.Tests.Support;

/// <summary>One database, one GitHub, and the instances of the service on them: as processes, to be killed, frozen and replaced.</summary>
internal sealed class Deployment : IAsyncDisposable
{
    /// <summary>A killed instance's job is fetched again after 10 s, and what it had locked is free after 20 s.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromMinutes(3);

    private readonly WebApplication _simulator;
    private readonly List<ServiceProcess> _instances = [];
    private readonly HttpClient _http = new();

    private Deployment(WebApplication simulator, string connectionString)
    {
        (_simulator, ConnectionString) = (simulator, connectionString);
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", RunningService.ApiToken);
    }

    public string ConnectionString { get; }

    public SimulatorState GitHub => _simulator.Services.GetRequiredService<SimulatorState>();

    public Uri GitHubAddress => new(_simulator.Urls.First());

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The instance that was started last.</summary>
    private ServiceProcess Latest => _instances[^1];

    public static async Task<Deployment> CreateAsync(PostgresCluster cluster) =>
        new(await RunningService.StartSimulatorAsync(), await cluster.CreateDatabaseAsync());

    /// <summary>Starts one more instance, and waits until it serves.</summary>
    /// <param name="gitHub">Null for the way that leads straight to GitHub.</param>
    public async Task<ServiceProcess> StartAsync(Uri? gitHub = null)
    {
        var instance = ServiceProcess.Start(new()
        {
            ["ConnectionStrings__DataService"] = ConnectionString,
            ["API_TOKEN"] = RunningService.ApiToken,
            ["GITHUB_TOKEN"] = RunningService.GitHubToken,
            ["GITHUB_ORG"] = RunningService.Organization,
            ["GITHUB_API_URL"] = (gitHub ?? GitHubAddress).ToString(),
            // Only what the test does may end a call.
            ["GitHub__RequestTimeout"] = "00:02:00",
            ["GitHub__ContentBudget"] = "off",
            ["Jobs__FirstRetryDelay"] = "00:00:01",
        });
        _instances.Add(instance);
        await instance.IsReadyAsync();
        return instance;
    }

    /// <summary>Creates a project and returns its slug.</summary>
    public async Task<string> CreateProjectAsync(string name)
    {
        var response = await _http.PostAsJsonAsync(new Uri(Latest.Address, "/projects"), new { name }, Cancelled);
        return (await response.ReadAsync(HttpStatusCode.Created)).GetProperty("slug").GetString()!;
    }

    public async Task ApproveAsync(string slug) =>
        await (await _http.PostAsync(new Uri(Latest.Address, $"/projects/{slug}/approve"), null, Cancelled)).ReadAsync(HttpStatusCode.OK);

    public async Task<JsonElement> GetProjectAsync(string slug) =>
        await (await _http.GetAsync(new Uri(Latest.Address, $"/projects/{slug}"), Cancelled)).ReadAsync(HttpStatusCode.OK);

    /// <summary>Waits until the repository is linked, however the creation's job goes on.</summary>
    public Task IsLinkedAsync(string slug) => Eventually.ReturnsAsync(
        () => GetProjectAsync(slug),
        project => project.GetProperty("githubRepo").ValueKind is JsonValueKind.String,
        $"{slug} to have its repository");

    /// <summary>Waits until the creation's job has succeeded and no other is left, and returns the project.</summary>
    public async Task<JsonElement> ComesToRestAsync(string slug)
    {
        var left = """
            SELECT coalesce(string_agg(job.statename, ', '), '') FROM hangfire.job LEFT JOIN hangfire.jobqueue ON jobqueue.jobid = job.id
            WHERE (job.statename <> 'Succeeded' OR jobqueue.id IS NOT NULL) AND job.id IN (SELECT job_id::bigint FROM repo_creations)
            """;
        await Eventually.ReturnsAsync(() => QueryAsync<string>(left), states => states is "", "all jobs to succeed", LongestRest);
        return await GetProjectAsync(slug);
    }

    public Task<T?> QueryAsync<T>(string sql) => PostgresCluster.QueryAsync<T>(ConnectionString, sql);

    public async ValueTask DisposeAsync()
    {
        GitHub.Faults.Clear();
        foreach (var instance in _instances)
            await instance.DisposeAsync();
        _http.Dispose();
        await _simulator.DisposeAsync();
    }
}
