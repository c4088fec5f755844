using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace DataService.Tests.Support;

/// <summary>
/// Stands between a service and its GitHub, and passes on what each says. From a chosen moment on it keeps to itself what the service
/// sends: so a call has left the service and never comes to GitHub.
/// </summary>
internal sealed partial class GitHubRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly StringBuilder _swallowed = new();
    private readonly Uri _gitHub;
    private readonly Task _accepting;
    private volatile bool _swallows;

    public GitHubRelay(Uri gitHub)
    {
        _gitHub = gitHub;
        _listener.Start();
        Address = new Uri($"http://{_listener.LocalEndpoint}");
        _accepting = AcceptAsync();
    }

    /// <summary>Where the service finds its GitHub.</summary>
    public Uri Address { get; }

    /// <summary>From now on nothing of the service comes to GitHub. Answers still come through.</summary>
    public void Swallow() => _swallows = true;

    /// <summary>Waits until a creation was swallowed whole.</summary>
    /// <returns>The repository's name in it.</returns>
    public Task<string> SwallowsCreationAsync() => Eventually.ReturnsAsync(
        () =>
        {
            lock (_swallowed)
                return Task.FromResult(Creation().Match(_swallowed.ToString()).Groups["name"].Value);
        },
        name => name.Length > 0,
        "the relay to swallow a creation");

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var served = new List<Task>();
        try
        {
            while (true)
                served.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(TcpClient service)
    {
        using var caller = service;
        using var called = new TcpClient();
        try
        {
            await called.ConnectAsync(_gitHub.Host, _gitHub.Port, _end.Token);
            var calls = PassOnAsync(caller.GetStream(), called.GetStream());
            var answers = called.GetStream().CopyToAsync(caller.GetStream(), _end.Token);
            // The first to leave ends the other's part.
            await await Task.WhenAny(calls, answers);
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
        {
        }
    }

    private async Task PassOnAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[16_384];
        while (await from.ReadAsync(buffer, _end.Token) is var read and > 0)
        {
            if (!_swallows)
            {
                await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
                continue;
            }

            lock (_swallowed)
                _swallowed.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
    }

    [GeneratedRegex("""^POST .*\{.*"name":"(?<name>[^"]+)".*\}$""", RegexOptions.Singleline)]
    private static partial Regex Creation();
}
