using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using DataService.Benchmarks.Chaos;
using DataService.Data;
using GitHubSimulator;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace DataService.Benchmarks.Dispatch;

/// <summary>A PostgreSQL and a GitHub of the measurement's own, and instances of the service on them as processes.</summary>
internal sealed class TestBed : IAsyncDisposable
{
    private const string Organization = "bench";
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly string _apiToken = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly string _gitHubToken = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly EmbeddedPostgres _postgres;
    private readonly WebApplication _simulator;

    private TestBed(EmbeddedPostgres postgres, Func<string, WebApplication> simulator)
    {
        _postgres = postgres;
        _simulator = simulator(_gitHubToken);
        Http = new HttpClient { DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", _apiToken) } };
    }

    public SimulatorState GitHub => _simulator.Services.GetRequiredService<SimulatorState>();

    /// <summary>Sends the API token, to any instance.</summary>
    public HttpClient Http { get; }

    /// <summary>Of the cluster's first database, which no instance uses.</summary>
    public string ConnectionString => _postgres.ConnectionString;

    /// <exception cref="EmbeddedPostgresException">PostgreSQL cannot be used.</exception>
    public static async Task<TestBed> StartAsync(CancellationToken cancellationToken)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"dataservice-bench-{Guid.NewGuid():N}");
        var postgres = await EmbeddedPostgres.StartAsync(folder, new() { ThrowAway = true }, cancellationToken);
        var bed = new TestBed(postgres, token => SimulatorHost.Create(
            ["--urls", "http://127.0.0.1:0", "--GITHUB_TOKEN", token, "--GITHUB_ORG", Organization, "--SIMULATOR_DATA", ""]));
        await bed._simulator.StartAsync(cancellationToken);
        bed.GitHub.PrimaryLimit.Set(int.MaxValue);
        return bed;
    }

    /// <summary>A new, empty database.</summary>
    public async Task<string> CreateDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        await using var dataSource = NpgsqlDataSource.Create(ConnectionString);
        await using var command = dataSource.CreateCommand($"CREATE DATABASE {name}");
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name }.ConnectionString;
    }

    /// <summary>Starts instances with the service's own settings, but for what is given, and waits until all serve.</summary>
    /// <exception cref="TimeoutException">They do not.</exception>
    public async Task<IReadOnlyList<ServiceInstance>> StartInstancesAsync(
        string connectionString, int count, CancellationToken cancellationToken,
        params IEnumerable<(string Name, string Value)> settings)
    {
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["ConnectionStrings__DataService"] = connectionString,
            ["API_TOKEN"] = _apiToken,
            ["GITHUB_TOKEN"] = _gitHubToken,
            ["GITHUB_ORG"] = Organization,
            ["GITHUB_API_URL"] = _simulator.Urls.Single(),
        };
        foreach (var (name, value) in settings)
            environment[name] = value;
        var instances = Enumerable.Range(0, count).Select(_ => ServiceInstance.Start(environment, TextWriter.Null)).ToList();
        var begun = Stopwatch.GetTimestamp();
        using var ticks = new PeriodicTimer(Poll);
        while (!instances.TrueForAll(instance => instance.IsReady))
        {
            if (Stopwatch.GetElapsedTime(begun) > StartLimit)
                throw new TimeoutException($"The instances did not start: {instances[0].Lives[^1].Complaint}");
            await ticks.WaitForNextTickAsync(cancellationToken);
        }

        return instances;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        NpgsqlConnection.ClearAllPools();
        await _simulator.DisposeAsync();
        await _postgres.DisposeAsync();
    }
}
