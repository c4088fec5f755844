using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography;
using DataService.Benchmarks.Chaos;
using DataService.Data;

namespace DataService.Benchmarks.Engine;

/// <summary>
/// The service of this build as a process, with a GitHub that takes calls and answers none: its one worker stands still, and only what is
/// measured moves.
/// </summary>
internal sealed class ServiceProgram : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly TcpListener _gitHub;
    private readonly ServiceInstance _instance;

    private ServiceProgram(TcpListener gitHub, ServiceInstance instance, HttpClient http) => (_gitHub, _instance, Http) = (gitHub, instance, http);

    /// <summary>With the API token.</summary>
    public HttpClient Http { get; }

    /// <summary>Resident memory, MB.</summary>
    public double Memory => Megabytes(_instance.Lives[^1].ProcessId);

    public static double Megabytes(int processId)
    {
        using var process = Process.GetProcessById(processId);
        return process.WorkingSet64 / 1e6;
    }

    /// <exception cref="CannotMeasureException">It does not become ready.</exception>
    public static async Task<ServiceProgram> StartAsync(string connectionString, CancellationToken cancellationToken)
    {
        var gitHub = new TcpListener(System.Net.IPAddress.Loopback, 0);
        gitHub.Start();
        var token = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var instance = ServiceInstance.Start(
            new Dictionary<string, string>
            {
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
                [DataOptions.Variable] = connectionString,
                ["API_TOKEN"] = token,
                ["GITHUB_TOKEN"] = "none",
                ["GITHUB_ORG"] = "bench",
                ["GITHUB_API_URL"] = $"http://{gitHub.LocalEndpoint}",
                ["GitHub__RequestTimeout"] = "00:01:40",
                ["Jobs__Workers"] = "1",
                ["Jobs__Reconciliation"] = "off",
            },
            TextWriter.Null);
        var http = new HttpClient { Timeout = TimeSpan.FromMinutes(2) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        http.DefaultRequestHeaders.UserAgent.ParseAdd("dataservice-scripts/1.0");
        var service = new ServiceProgram(gitHub, instance, http);
        var waited = Stopwatch.StartNew();
        while (!instance.IsReady)
        {
            if (waited.Elapsed > StartLimit || instance.Lives.Count > 1)
            {
                var complaint = instance.Lives.FirstOrDefault(life => life.Complaint is not null)?.Complaint;
                await service.DisposeAsync();
                throw new CannotMeasureException($"The service does not start: {complaint ?? "it was not ready in time"}");
            }

            await Task.Delay(Poll, cancellationToken);
        }

        http.BaseAddress = instance.Address;
        return service;
    }

    /// <exception cref="CannotMeasureException">The service says why not.</exception>
    public static async Task MigrateAsync(string connectionString, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(DataServiceDbContext).Assembly.Location, "--migrate-only"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment[DataOptions.Variable] = connectionString;
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["API_TOKEN"] = RandomNumberGenerator.GetHexString(32, lowercase: true);
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = await process.StandardError.ReadToEndAsync(cancellationToken);
            await output;
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode is not 0)
                throw new CannotMeasureException($"The database cannot be migrated: {error.Trim()}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _instance.DisposeAsync();
        _gitHub.Dispose();
    }
}
