using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace DataService.Tests.Support;

/// <summary>The service as a process of its own, as it is deployed: with an environment, exit codes and signals.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    private ServiceProcess(Process process, Uri address) => (_process, Address) = (process, address);

    public Uri Address { get; }

    public string Output { get { lock (_output) return _output.ToString(); } }

    public string Error { get { lock (_error) return _error.ToString(); } }

    public int Id => _process.Id;

    /// <param name="environment">All that the service is told; nothing of the test run's own settings gets through.</param>
    /// <param name="arguments">The command line.</param>
    /// <param name="assembly">Null for the service.</param>
    public static ServiceProcess Start(Dictionary<string, string?> environment, string[]? arguments = null, string? assembly = null)
    {
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var start = new ProcessStartInfo("dotnet", [assembly ?? PublishedBuild.Assembly, .. arguments ?? []])
        {
            // Nobody sits there to be asked.
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in start.Environment.Keys.Where(IsSetting).ToList())
            start.Environment.Remove(name);
        start.Environment["ASPNETCORE_URLS"] = address.ToString();
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var service = new ServiceProcess(new Process { StartInfo = start }, address);
        service._process.OutputDataReceived += (_, line) => Append(service._output, line.Data);
        service._process.ErrorDataReceived += (_, line) => Append(service._error, line.Data);
        service._process.Start();
        service._process.BeginOutputReadLine();
        service._process.BeginErrorReadLine();
        return service;
    }

    public async Task<int> ExitCodeAsync(TimeSpan? limit = null)
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(limit ?? TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public Task<bool> IsReadyAsync()
    {
        var http = new HttpClient { BaseAddress = Address };
        return Eventually.ReturnsAsync(async () =>
        {
            if (_process.HasExited)
                Assert.Fail($"The service ended with {_process.ExitCode}: {Error}{Output}");
            try
            {
                using var response = await http.GetAsync("/health/ready", TestContext.Current.CancellationToken);
                return response.IsSuccessStatusCode;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, ready => ready, "the service to be ready", TimeSpan.FromMinutes(3));
    }

    /// <summary>Sends the signal by its name, such as TERM.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Ends it on the spot, as a power cut would: it gets to do nothing more.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool IsSetting(string name) =>
        name.StartsWith("ASPNETCORE_", StringComparison.Ordinal) || name.StartsWith("GITHUB_", StringComparison.Ordinal)
        || name.StartsWith("ConnectionStrings", StringComparison.Ordinal) || name.StartsWith("Authentication__", StringComparison.Ordinal)
        || name.StartsWith("OTEL_", StringComparison.Ordinal) || name is "METRICS_URLS"
        || name is "API_TOKEN" or "VIEWER_TOKEN" or "DATASERVICE_URL" or "ALLOWED_ORIGINS" or "DOTNET_ENVIRONMENT";

    private static void Append(StringBuilder text, string? line)
    {
        if (line is null)
            return;
        lock (text)
            text.AppendLine(line);
    }
}
