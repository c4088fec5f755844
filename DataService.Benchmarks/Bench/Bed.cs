using System.Security.Cryptography;
using DataService.Data;
using GitHubSimulator;
using GitHubSimulator.Faults;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace DataService.Benchmarks.Bench;

/// <summary>
/// What a service is measured on: a PostgreSQL of its own that writes to the disk as in production, a GitHub, and a folder, all of which
/// end with it.
/// </summary>
internal sealed class Bed : IAsyncDisposable
{
    private const string Organization = "bench";

    private readonly string _apiToken = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly string _gitHubToken = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly WebApplication _simulator;
    private readonly EmbeddedPostgres? _postgres;
    private readonly List<BenchDatabase> _databases = [];
    private readonly List<ServiceRun> _services = [];

    private Bed(BedOptions options, string folder, EmbeddedPostgres? postgres, string connectionString)
    {
        (Options, Folder, _postgres) = (options, folder, postgres);
        _simulator = SimulatorHost.Create(
            ["--urls", "http://127.0.0.1:0", "--GITHUB_TOKEN", _gitHubToken, "--GITHUB_ORG", Organization, "--SIMULATOR_DATA", ""]);
        Database = Keep(connectionString);
    }

    public BedOptions Options { get; }

    /// <summary>Removed at the end.</summary>
    public string Folder { get; }

    /// <summary>The first one, which a service uses unless told otherwise; empty until then.</summary>
    public BenchDatabase Database { get; }

    public SimulatorState GitHub => _simulator.Services.GetRequiredService<SimulatorState>();

    /// <summary>The log of the bed's own PostgreSQL.</summary>
    public string PostgresLog => Path.Combine(Folder, "postgres", "postgres.log");

    /// <exception cref="EmbeddedPostgresException">PostgreSQL cannot be used.</exception>
    public static async Task<Bed> MakeAsync(BedOptions options, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("dataservice-bench-").FullName;
        // Where this runs as root, PostgreSQL's user passes through here.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("711", 8));
        EmbeddedPostgres? postgres = null;
        try
        {
            if (options.MakeDatabase is null)
            {
                IReadOnlyList<string>? binaries = options.PostgresFolder is { } given ? [given] : null;
                postgres = await EmbeddedPostgres.StartAsync(
                    Path.Combine(folder, "postgres"), new EmbeddedPostgresOptions { BinaryFolders = binaries }, cancellationToken);
            }

            var bed = new Bed(options, folder, postgres, postgres?.ConnectionString ?? await options.MakeDatabase!());
            await bed._simulator.StartAsync(cancellationToken);
            bed.GitHub.PrimaryLimit.Set(int.MaxValue);
            return bed;
        }
        catch
        {
            if (postgres is not null)
                await postgres.DisposeAsync();
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>A further database, not yet migrated.</summary>
    /// <param name="name">Where the PostgreSQL is the bed's own.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<BenchDatabase> CreateDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        if (Options.MakeDatabase is { } make)
            return Keep(await make());
        await Database.ExecuteAsync($"CREATE DATABASE {name}", cancellationToken);
        return Keep(new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Database = name }.ConnectionString);
    }

    /// <summary>Starts the service on the first database, and waits until it serves.</summary>
    public Task<ServiceRun> StartAsync(string name, CancellationToken cancellationToken) =>
        StartAsync(new ServiceStart { Name = name }, cancellationToken);

    /// <summary>Starts a program, and waits until it serves.</summary>
    /// <param name="start">Whatever it says comes before what the bed gives.</param>
    /// <param name="cancellationToken">Ends it again.</param>
    /// <param name="database">Null for the first.</param>
    /// <exception cref="CannotRunException">It does not serve.</exception>
    public async Task<ServiceRun> StartAsync(ServiceStart start, CancellationToken cancellationToken, BenchDatabase? database = null)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            [DataOptions.Variable] = (database ?? Database).ConnectionString,
            [ServiceRun.ApiToken] = _apiToken,
            ["GITHUB_TOKEN"] = _gitHubToken,
            ["GITHUB_ORG"] = Organization,
            ["GITHUB_API_URL"] = _simulator.Urls.Single(),
            // The pace that GitHub asks for is not what is measured, and would allow a repository a second only.
            ["GitHub__ContentBudget"] = "off",
        };
        foreach (var (variable, value) in start.Environment)
            environment[variable] = value;
        foreach (var variable in environment.Keys.Where(variable => environment[variable] is null).ToList())
            environment.Remove(variable);
        var folder = Options.LogFolder is { } logs ? Directory.CreateDirectory(logs).FullName : Folder;
        var log = Path.Combine(folder, $"{start.Name}.log");
        var service = await Options.Start(start with { Environment = environment, Log = log }, cancellationToken);
        lock (_services)
            _services.Add(service);
        return service;
    }

    /// <summary>Starts several instances of the service at once.</summary>
    /// <inheritdoc cref="StartAsync(ServiceStart, CancellationToken, BenchDatabase)"/>
    public Task<ServiceRun[]> StartSeveralAsync(
        int count, ServiceStart start, CancellationToken cancellationToken, BenchDatabase? database = null) =>
        Task.WhenAll(Enumerable.Range(1, count).Select(number =>
            StartAsync(start with { Name = $"{start.Name}-{number}-of-{count}" }, cancellationToken, database)));

    /// <summary>GitHub answers no call until the faults are cleared: the workers wait, and what is measured has the machine.</summary>
    public void HoldGitHub() => GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Hang });

    public async ValueTask DisposeAsync()
    {
        // First what may hold a call of the service, then the service, then the GitHub that it calls.
        GitHub.Faults.Clear();
        foreach (var service in _services)
            await service.DisposeAsync();
        await _simulator.DisposeAsync();
        foreach (var database in _databases)
            await database.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private BenchDatabase Keep(string connectionString)
    {
        var database = new BenchDatabase(connectionString);
        _databases.Add(database);
        return database;
    }
}
