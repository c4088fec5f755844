using System.Net.Http.Headers;
using System.Text.Json;
using DataService.GitHub;
using DataService.Jobs;
using GitHubSimulator;
using GitHubSimulator.Faults;
using Hangfire;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace DataService.Tests.Support;

/// <summary>A service and a GitHub of its own, both over HTTP on this machine, on a database of its own.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    public const string ApiToken = "canary-api-token-5f1c9e";
    public const string GitHubToken = "canary-github-token-77b2d4";
    public const string Organization = "auditmos-projects";

    private readonly WebApplication _simulator;
    private readonly ServiceInProcess _process;

    private readonly Dictionary<string, string?> _settings;

    /// <summary>Where the database was made for this service alone; null where it was not.</summary>
    private PostgresCluster? _owner;

    private RunningService(WebApplication simulator, ServiceInProcess process, LogCapture logs, string connectionString, Dictionary<string, string?> settings)
    {
        (_simulator, _process, Logs, ConnectionString, _settings) = (simulator, process, logs, connectionString, settings);
        Address = process.Address;
        Anonymous = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Address };
        Http = new HttpClient { BaseAddress = Address, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", ApiToken) } };
    }

    public Uri Address { get; }

    /// <summary>Sends the API token.</summary>
    public HttpClient Http { get; }

    /// <summary>Sends nothing of its own and follows nothing.</summary>
    public HttpClient Anonymous { get; }

    public LogCapture Logs { get; }

    public string ConnectionString { get; }

    public IServiceProvider Services => _process.Services;

    /// <summary>Where its API is, and what a person would look at.</summary>
    public Uri GitHubAddress => new(_simulator.Urls.First());

    public SimulatorState GitHub => _simulator.Services.GetRequiredService<SimulatorState>();

    /// <param name="cluster">Where the database is made.</param>
    /// <param name="settings">Over the defaults; null takes a default away.</param>
    /// <param name="replace">Changes what the service is made of.</param>
    /// <param name="runsRecurringJobs">Whether the service's own recurring jobs are there.</param>
    public static async Task<RunningService> StartAsync(
        PostgresCluster cluster, Dictionary<string, string?>? settings = null, Action<IServiceCollection>? replace = null, bool runsRecurringJobs = false) =>
        await StartAsync(cluster, await cluster.CreateDatabaseAsync(), settings, replace, runsRecurringJobs);

    /// <summary>On a database that the test looks after by itself.</summary>
    public static Task<RunningService> StartAsync(
        string connectionString, Dictionary<string, string?>? settings = null, Action<IServiceCollection>? replace = null, bool runsRecurringJobs = false) =>
        StartAsync(owner: null, connectionString, settings, replace, runsRecurringJobs);

    private static async Task<RunningService> StartAsync(
        PostgresCluster? owner, string connectionString, Dictionary<string, string?>? settings, Action<IServiceCollection>? replace, bool runsRecurringJobs)
    {
        var simulator = await StartSimulatorAsync();
        var all = new Dictionary<string, string?>
        {
            ["ConnectionStrings:DataService"] = connectionString,
            ["API_TOKEN"] = ApiToken,
            ["GITHUB_TOKEN"] = GitHubToken,
            ["GITHUB_ORG"] = Organization,
            ["GITHUB_API_URL"] = simulator.Urls.First(),
            ["GitHub:ContentBudget"] = "off",
            ["Jobs:Workers"] = "4",
        };
        foreach (var (name, value) in settings ?? [])
            all[name] = value;
        var logs = new LogCapture();
        var process = await ServiceInProcess.StartAsync(all, logs, services =>
        {
            // What runs by itself would come between a test's own jobs and calls to GitHub now and then.
            if (!runsRecurringJobs)
            {
                services.Remove(services.Single(service => service.ImplementationType == typeof(RecurringJobs)));
                services.Remove(services.Single(service => service.ImplementationType == typeof(TokenWatch)));
                var storage = services.Single(service => service.ServiceType == typeof(JobStorage)).ImplementationFactory!;
                services.Replace(ServiceDescriptor.Singleton<JobStorage>(provider => new UnkeptStorage((JobStorage)storage(provider))));
            }

            replace?.Invoke(services);
        });
        return new RunningService(simulator, process, logs, connectionString, all) { _owner = owner };
    }

    public static async Task<WebApplication> StartSimulatorAsync()
    {
        var simulator = SimulatorHost.Create(["--urls", "http://127.0.0.1:0", "--GITHUB_TOKEN", GitHubToken, "--GITHUB_ORG", Organization]);
        await simulator.StartAsync();
        return simulator;
    }

    public async ValueTask DisposeAsync()
    {
        // First what may hold a call of the service, then the service, then the GitHub that it calls.
        GitHub.Faults.Clear();
        Http.Dispose();
        Anonymous.Dispose();
        await _process.DisposeAsync();
        await _simulator.DisposeAsync();
        if (_owner is not null)
            await _owner.DropDatabaseAsync(ConnectionString);
    }

    /// <summary>A second instance on the same database, with the same settings.</summary>
    public async Task<IAsyncDisposable> StartAnotherAsync() => await ServiceInProcess.StartAsync(_settings, Logs);

    public void Break(FaultRule rule) => GitHub.Faults.Add(rule);

    /// <summary>Creates a project and returns its slug.</summary>
    public async Task<string> CreateProjectAsync(string name)
    {
        var response = await Http.PostAsJsonAsync("/projects", new { name });
        return (await response.ReadAsync(HttpStatusCode.Created)).GetProperty("slug").GetString()!;
    }

    public async Task<JsonElement> GetProjectAsync(string slug) => await (await Http.GetAsync($"/projects/{slug}")).ReadAsync(HttpStatusCode.OK);

    /// <summary>Adds a task to the project, at its end unless told where.</summary>
    public async Task<JsonElement> AddTaskAsync(string slug, string title, string? description = null, int? sortOrder = null) =>
        await (await Http.PostAsJsonAsync($"/projects/{slug}/tasks", new { title, description, sortOrder })).ReadAsync(HttpStatusCode.Created);

    public async Task<JsonElement> ListTasksAsync(string slug) => await (await Http.GetAsync($"/projects/{slug}/tasks")).ReadAsync(HttpStatusCode.OK);

    /// <summary>Makes the service approve by its entities, in several statements: Hangfire's tables are none that it knows.</summary>
    public Task ForbidPlainApprovalsAsync() => QueryAsync<object>("UPDATE hangfire.schema SET version = 24");

    public async Task<JsonElement> ApproveAsync(string slug) => await (await Http.PostAsync($"/projects/{slug}/approve", null)).ReadAsync(HttpStatusCode.OK);

    /// <summary>Waits until the project's creation is in the state, and returns the project.</summary>
    public Task<JsonElement> CreationReachesAsync(string slug, string state) => Eventually.ReturnsAsync(
        () => GetProjectAsync(slug),
        project => project.GetProperty("repoCreation") is { ValueKind: JsonValueKind.Object } creation && creation.GetProperty("state").GetString() == state,
        $"the creation of {slug} to be {state}");

    /// <summary>Waits until Hangfire's job is in the state.</summary>
    public Task JobReachesAsync(string jobId, string state) => Eventually.ReturnsAsync(
        () => QueryAsync<string>($"SELECT statename FROM hangfire.job WHERE id = {jobId}"),
        name => name == state,
        $"job {jobId} to be {state}");

    /// <summary>Runs one statement in the service's database, over a connection of its own pool, and returns its first value.</summary>
    public async Task<T?> QueryAsync<T>(string sql)
    {
        await using var connection = await Services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync();
        return await PostgresCluster.QueryAsync<T>(connection, sql);
    }
}
