using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace DataService.Benchmarks.Bench;

/// <summary>
/// A program of ours as a process of its own, as it is deployed. What it prints goes to a file, which costs the measurement nothing.
/// </summary>
internal sealed class ServiceRun : IAsyncDisposable
{
    public const string ApiToken = "API_TOKEN";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan ReadyPoll = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a process is looked at, and how much of one processor it may use in that time to be at rest.</summary>
    private static readonly TimeSpan RestLook = TimeSpan.FromSeconds(0.5);
    private const double RestShare = 0.1;

    /// <summary>What a process needs of this one's environment; nothing of a developer's settings gets through.</summary>
    private static readonly string[] Inherited = ["PATH", "HOME", "TMPDIR", "DOTNET_ROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

    private readonly Process _process;
    private readonly Func<ValueTask> _end;
    private bool _isDisposed;

    /// <param name="start">What was asked for.</param>
    /// <param name="address">Where it serves.</param>
    /// <param name="process">That it runs in.</param>
    /// <param name="end">Ends it.</param>
    public ServiceRun(ServiceStart start, Uri address, Process process, Func<ValueTask> end)
    {
        (Address, _process, _end) = (address, process, end);
        Token = start.Environment[ApiToken] ?? "";
        Http = new HttpClient
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromMinutes(2),
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Token) },
        };
    }

    public Uri Address { get; }

    public string Token { get; }

    /// <summary>Sends the token.</summary>
    public HttpClient Http { get; }

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

    /// <summary>Starts a process, and waits until it serves.</summary>
    /// <exception cref="CannotRunException">The process ended, or does not serve in time.</exception>
    public static async Task<ServiceRun> StartAsync(ServiceStart start, CancellationToken cancellationToken)
    {
        var address = new Uri($"http://127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}");
        // The shell gives way to the program: its number is the program's.
        const string Shell = "log=$0; exec \"$@\" >\"$log\" 2>&1 </dev/null";
        var info = new ProcessStartInfo("/bin/sh", ["-c", Shell, start.Log, "dotnet", start.Assembly, .. start.Arguments])
        {
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in info.Environment.Keys.Except(Inherited).ToList())
            info.Environment.Remove(name);
        foreach (var (name, value) in start.Environment)
            info.Environment[name] = value;
        info.Environment["ASPNETCORE_URLS"] = address.ToString();
        // A killed process would leave its diagnostics socket behind.
        info.Environment["DOTNET_EnableDiagnostics"] = "0";
        var process = Process.Start(info)!;
        var service = new ServiceRun(start, address, process, () => EndAsync(process));
        try
        {
            await service.BecomeReadyAsync(start.Log, cancellationToken);
            return service;
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Waits until the process has nothing to do: code that has been in use is compiled once more in the background, on the processors
    /// that what is measured wants.
    /// </summary>
    /// <exception cref="CannotRunException">It does not come to rest.</exception>
    public async Task ComeToRestAsync(CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(RestLook);
        var clock = Stopwatch.StartNew();
        TimeSpan used;
        do
        {
            if (clock.Elapsed > StartLimit)
                throw new CannotRunException("the service does not come to rest");
            used = ProcessorTime;
            await ticks.WaitForNextTickAsync(cancellationToken);
        }
        while (ProcessorTime - used > RestLook * RestShare);
    }

    /// <exception cref="CannotRunException">It does not serve.</exception>
    public async Task CheckReadyAsync(CancellationToken cancellationToken)
    {
        using var answer = await Http.GetAsync(new Uri("/health/ready", UriKind.Relative), cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new CannotRunException($"the service is no longer ready: {(int)answer.StatusCode}");
    }

    /// <summary>Ends the process. The bed does so for one that nobody has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        Http.Dispose();
        await _end();
        _process.Dispose();
    }

    private static async ValueTask EndAsync(Process process)
    {
        if (process.HasExited)
            return;
        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
    }

    private async Task BecomeReadyAsync(string log, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        using var ticks = new PeriodicTimer(ReadyPoll);
        var clock = Stopwatch.StartNew();
        do
        {
            if (_process.HasExited || clock.Elapsed > StartLimit)
                throw new CannotRunException($"the service did not start: {LastWords(log)}");
            if (await AnswersAsync(http, cancellationToken))
            {
                TimeToReady = clock.Elapsed;
                return;
            }
        }
        while (await ticks.WaitForNextTickAsync(cancellationToken));
    }

    private async Task<bool> AnswersAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await http.GetAsync(new Uri(Address, "/health/ready"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The client's own limit.
            return false;
        }
    }

    private static string LastWords(string log) =>
        File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(5)) : "it said nothing";

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
