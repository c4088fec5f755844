using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DataService.Benchmarks.Chaos;

/// <summary>One instance of the service as a process of its own. Whenever the process ends, the next one is started at once.</summary>
internal sealed class ServiceInstance : IAsyncDisposable
{
    private static readonly TimeSpan ReadyPoll = TimeSpan.FromMilliseconds(100);

    /// <summary>Before the next process when one ended by itself, which it does at once where PostgreSQL is down.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>What a process needs of this one's environment; nothing of a developer's settings gets through.</summary>
    private static readonly string[] Inherited = ["PATH", "HOME", "TMPDIR", "DOTNET_ROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

    private readonly Lock _lock = new();
    private readonly List<InstanceLife> _past = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private readonly string _assembly;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly TextWriter _log;
    private readonly Task _supervision;
    private Process? _process;
    private InstanceLife? _life;

    private ServiceInstance(string assembly, IReadOnlyDictionary<string, string> environment, TextWriter log)
    {
        (_assembly, _environment, _log) = (assembly, environment, TextWriter.Synchronized(log));
        _supervision = SuperviseAsync();
    }

    /// <summary>Where the present process listens, or will; each has a port of its own, as nobody keeps a dead one's free.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1:9");

    public bool IsReady
    {
        get
        {
            lock (_lock)
                return _life is { ReadyAt: not null, EndedAt: null };
        }
    }

    public IReadOnlyList<InstanceLife> Lives
    {
        get
        {
            lock (_lock)
                return _life is { } life ? [.. _past, life] : [.. _past];
        }
    }

    /// <summary>Ends only by a fault: a run with an instance that nobody starts again shows nothing.</summary>
    public Task Supervision => _supervision;

    /// <param name="assembly">The service.</param>
    /// <param name="environment">All that the service is told, beside its address.</param>
    /// <param name="log">Takes what the processes print, and is disposed with the instance.</param>
    public static ServiceInstance Start(string assembly, IReadOnlyDictionary<string, string> environment, TextWriter log) =>
        new(assembly, environment, log);

    /// <summary>SIGKILL.</summary>
    /// <returns>False where there was no process to kill at this moment.</returns>
    public bool Kill()
    {
        lock (_lock)
        {
            if (_life is not { EndedAt: null } || _process is not { HasExited: false } process)
                return false;
            process.Kill();
            // After the kill, so that what the process itself has written is older.
            _life = _life with { EndedAt = DateTime.UtcNow, Killed = true };
            Note($"killed process {process.Id}");
            return true;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _supervision;
        _http.Dispose();
        _stopping.Dispose();
        await _log.DisposeAsync();
    }

    private async Task SuperviseAsync()
    {
        // The caller goes on, also while a process is being started.
        await Task.Yield();
        while (!_stopping.IsCancellationRequested)
        {
            using var process = Begin();
            try
            {
                await BecomeReadyAsync(process);
                await process.WaitForExitAsync(_stopping.Token);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }

            if (!End(process).Killed)
                await Task.Delay(Pause, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Process Begin()
    {
        var address = new Uri($"http://127.0.0.1:{FreePort().ToString(CultureInfo.InvariantCulture)}");
        var start = new ProcessStartInfo("dotnet", [_assembly])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (var name in start.Environment.Keys.Except(Inherited).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in _environment)
            start.Environment[name] = value;
        start.Environment["ASPNETCORE_URLS"] = address.ToString();
        // A killed process would leave its diagnostics socket behind.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Write(line.Data);
        process.ErrorDataReceived += (_, line) => Complain(line.Data);
        lock (_lock)
        {
            process.Start();
            (_process, _life, Address) = (process, new InstanceLife(process.Id, DateTime.UtcNow), address);
        }

        Note($"started process {process.Id} on {address}");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private async Task BecomeReadyAsync(Process process)
    {
        using var ticks = new PeriodicTimer(ReadyPoll);
        while (!process.HasExited && !await AnswersReadyAsync())
            await ticks.WaitForNextTickAsync(_stopping.Token);
        lock (_lock)
        {
            if (_life is { EndedAt: null } life && !process.HasExited)
                _life = life with { ReadyAt = DateTime.UtcNow };
        }
    }

    private async Task<bool> AnswersReadyAsync()
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri(Address, "/health/ready"), _stopping.Token);
            return answer.IsSuccessStatusCode;
        }
        // A process that dies between the connect and the look at its address makes HttpClient throw the bare exception of its socket.
        catch (Exception exception) when (exception is HttpRequestException or SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!_stopping.IsCancellationRequested)
        {
            // The client's own limit.
            return false;
        }
    }

    private InstanceLife End(Process process)
    {
        lock (_lock)
        {
            var ended = _life! with { EndedAt = _life.EndedAt ?? DateTime.UtcNow };
            if (!ended.Killed)
                Note($"process {process.Id} ended by itself: {process.ExitCode}");
            _past.Add(ended);
            (_process, _life) = (null, null);
            return ended;
        }
    }

    private void Complain(string? line)
    {
        Write(line);
        if (string.IsNullOrWhiteSpace(line))
            return;
        lock (_lock)
            _life = _life is { Complaint: null } life ? life with { Complaint = line } : _life;
    }

    private void Note(string text) => Write($"=== {DateTime.UtcNow:HH:mm:ss.fff} {text}");

    private void Write(string? line)
    {
        if (line is not null)
            _log.WriteLine(line);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
