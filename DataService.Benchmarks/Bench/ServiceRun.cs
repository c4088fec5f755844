using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DataService.Benchmarks.Bench;

/// <summary>A program of ours as a process of its own, as it is deployed. What it prints goes to a file, which costs the measurement nothing.</summary>
internal sealed class ServiceRun : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan ReadyPoll = TimeSpan.FromMilliseconds(20);

    /// <summary>What a process needs of this one's environment; nothing of a developer's settings gets through.</summary>
    private static readonly string[] Inherited = ["PATH", "HOME", "TMPDIR", "DOTNET_ROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

    private readonly Process _process;
    private readonly string _log;
    private bool _isDisposed;

    private ServiceRun(Process process, Uri address, string log) => (_process, Address, _log) = (process, address, log);

    public Uri Address { get; }

    /// <summary>From the start of the process to its first answer that it is ready.</summary>
    public TimeSpan TimeToReady { get; private set; }

    /// <summary>Processor time so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Resident memory now, in MB (10^6 bytes).</summary>
    public double Megabytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1e6;
        }
    }

    public static ServiceRun Start(string assembly, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string log)
    {
        var address = new Uri($"http://127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}");
        // The shell gives way to the program: its number is the program's.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$0; exec \"$@\" >\"$log\" 2>&1 </dev/null", log, "dotnet", assembly, .. arguments])
        {
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in start.Environment.Keys.Except(Inherited).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        start.Environment["ASPNETCORE_URLS"] = address.ToString();
        // A killed process would leave its diagnostics socket behind.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return new ServiceRun(Process.Start(start)!, address, log);
    }

    /// <exception cref="CannotRunException">The process ended, or does not serve in time.</exception>
    public async Task BecomeReadyAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        using var ticks = new PeriodicTimer(ReadyPoll);
        var clock = Stopwatch.StartNew();
        do
        {
            if (_process.HasExited || clock.Elapsed > StartLimit)
                throw new CannotRunException($"the service did not start: {LastWords()}");
            if (await AnswersAsync(http, cancellationToken))
            {
                TimeToReady = clock.Elapsed;
                return;
            }
        }
        while (await ticks.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>Ends the process. The bed does so for one that nobody has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private async Task<bool> AnswersAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(Address, "/health/ready"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private string LastWords() => File.Exists(_log) ? string.Join('\n', File.ReadLines(_log).TakeLast(5)) : "it said nothing";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
