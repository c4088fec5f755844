using System.Globalization;
using System.Security.Cryptography;
using DataService.Data;
using GitHubSimulator;
using GitHubSimulator.Faults;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace DataService.Benchmarks.Bench;

/// <param name="PostgresFolder">Where PostgreSQL's programs are; null for the usual places.</param>
/// <param name="LogFolder">Keeps what the service prints; null: nothing is kept.</param>
internal sealed record BedOptions(string? PostgresFolder, string? LogFolder);

/// <summary>
/// What a service is measured on: a PostgreSQL of its own that writes to the disk as in production, a GitHub, and a folder, all of which
/// end with it.
/// </summary>
internal sealed class Bed : IAsyncDisposable
{
    private const string Organization = "bench";

    private readonly string _gitHubToken = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly BedOptions _options;
    private readonly WebApplication _simulator;
    private readonly EmbeddedPostgres _postgres;
    private readonly List<ServiceRun> _services = [];

    private Bed(BedOptions options, string folder, EmbeddedPostgres postgres)
    {
        (_options, Folder, _postgres) = (options, folder, postgres);
        _simulator = SimulatorHost.Create(
            ["--urls", "http://127.0.0.1:0", "--GITHUB_TOKEN", _gitHubToken, "--GITHUB_ORG", Organization, "--SIMULATOR_DATA", ""]);
        Database = NpgsqlDataSource.Create(postgres.ConnectionString);
    }

    public string ApiToken { get; } = RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Removed at the end.</summary>
    public string Folder { get; }

    public NpgsqlDataSource Database { get; }

    /// <summary>Holds the password.</summary>
    public string ConnectionString => _postgres.ConnectionString;

    public SimulatorState GitHub => _simulator.Services.GetRequiredService<SimulatorState>();

    /// <summary>The server's log.</summary>
    public string PostgresLog => Path.Combine(Folder, "postgres", "postgres.log");

    /// <exception cref="EmbeddedPostgresException">PostgreSQL cannot be used.</exception>
    public static async Task<Bed> MakeAsync(BedOptions options, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("dataservice-bench-").FullName;
        // Where this runs as root, PostgreSQL's user passes through here.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("711", 8));
        try
        {
            var postgres = await EmbeddedPostgres.StartAsync(
                Path.Combine(folder, "postgres"), new() { BinaryFolders = options.PostgresFolder is { } binaries ? [binaries] : null }, cancellationToken);
            var bed = new Bed(options, folder, postgres);
            await bed._simulator.StartAsync(cancellationToken);
            bed.GitHub.PrimaryLimit.Set(int.MaxValue);
            return bed;
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Starts the service, and waits until it serves.</summary>
    /// <param name="name">For its log.</param>
    /// <param name="cancellationToken">Ends it again.</param>
    /// <param name="settings">Beside those that the bed gives.</param>
    /// <param name="assembly">Null for the build that the benchmark was built with.</param>
    /// <param name="arguments">The command line of a program that is not the service.</param>
    public async Task<ServiceRun> StartAsync(
        string name, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? settings = null, string? assembly = null, IReadOnlyList<string>? arguments = null)
    {
        var environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["ConnectionStrings__DataService"] = ConnectionString,
            ["API_TOKEN"] = ApiToken,
            ["GITHUB_TOKEN"] = _gitHubToken,
            ["GITHUB_ORG"] = Organization,
            ["GITHUB_API_URL"] = _simulator.Urls.Single(),
            // The pace that GitHub asks for is not what is measured, and would allow a repository a second only.
            ["GitHub__ContentBudget"] = "off",
        };
        foreach (var (variable, value) in settings ?? new Dictionary<string, string>())
            environment[variable] = value;
        var log = Path.Combine(_options.LogFolder is { } logs ? Directory.CreateDirectory(logs).FullName : Folder, $"{name}.log");
        var service = ServiceRun.Start(assembly ?? typeof(DataServiceDbContext).Assembly.Location, arguments ?? [], environment, log);
        _services.Add(service);
        await service.BecomeReadyAsync(cancellationToken);
        return service;
    }

    /// <summary>Holds every creation of a repository until the faults are cleared: the workers wait, and what is measured has the machine.</summary>
    public void HoldWorkers() => GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Hang });

    /// <summary>Adds projects named <c>PREFIX-1</c> to <c>PREFIX-COUNT</c>, in the interview.</summary>
    public Task SeedProjectsAsync(string prefix, int count, CancellationToken cancellationToken) => ExecuteAsync(
        $"""
         INSERT INTO projects (id, name, slug, status, created_at)
         SELECT (lpad(to_hex(1700000000000 + i), 12, '0') || '70008' || substr(md5('{prefix}' || i), 1, 15))::uuid, 'The {prefix} ' || i, '{prefix}-' || i, 'interviewing', now()
         FROM generate_series(1, {count.ToString(CultureInfo.InvariantCulture)}) i
         """, cancellationToken);

    /// <summary>Runs a statement without a result.</summary>
    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = Database.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs a statement and returns its first value.</summary>
    public async Task<T> QueryAsync<T>(string sql, CancellationToken cancellationToken)
    {
        await using var command = Database.CreateCommand(sql);
        command.CommandTimeout = 0;
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Waits until no job is left to do.</summary>
    public async Task ComeToRestAsync(CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        while (await QueryAsync<long>("SELECT count(*) FROM hangfire.job WHERE statename IN ('Enqueued', 'Processing', 'Scheduled', 'Awaiting')", cancellationToken) > 0)
            await ticks.WaitForNextTickAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        // First what may hold a call of the service, then the service, then the GitHub that it calls.
        GitHub.Faults.Clear();
        foreach (var service in _services)
            await service.DisposeAsync();
        await _simulator.DisposeAsync();
        await Database.DisposeAsync();
        await _postgres.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
