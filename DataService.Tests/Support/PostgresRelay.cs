using System.Net.Sockets;
using System.Text;
using Npgsql;

namespace DataService.Tests.Support;

/// <summary>
/// Stands between a service and its PostgreSQL, and passes on what each says. Once, it cuts the connection when PostgreSQL has done what
/// was asked and before the service hears of it.
/// </summary>
internal sealed class PostgresRelay : IAsyncDisposable
{
    /// <summary>The last message of an answer: ready for the next statement, outside of a transaction.</summary>
    private static readonly byte[] Committed = [(byte)'Z', 0, 0, 0, 5, (byte)'I'];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly NpgsqlConnectionStringBuilder _postgres;
    private readonly Task _accepting;
    private byte[]? _victim;

    public PostgresRelay(string connectionString)
    {
        _postgres = new NpgsqlConnectionStringBuilder(connectionString);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>How the service finds its PostgreSQL.</summary>
    public string ConnectionString => new NpgsqlConnectionStringBuilder(_postgres.ConnectionString)
    {
        Host = "127.0.0.1",
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
        SslMode = SslMode.Disable,
    }.ConnectionString;

    /// <summary>Answers that were lost.</summary>
    public int Lost { get; private set; }

    /// <summary>Loses the answer to the next statement with this text among its parameters.</summary>
    public void LoseAnswerTo(string parameter) => Volatile.Write(ref _victim, Encoding.UTF8.GetBytes(parameter));

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
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(TcpClient service)
    {
        using var toService = service;
        using var toPostgres = new TcpClient();
        try
        {
            await toPostgres.ConnectAsync(_postgres.Host!, _postgres.Port, _end.Token);
            var isVictim = false;
            await Task.WhenAny(
                PassAsync(toService, toPostgres, asked =>
                {
                    if (Volatile.Read(ref _victim) is { } victim && asked.IndexOf(victim) >= 0 && Interlocked.CompareExchange(ref _victim, null, victim) == victim)
                        Volatile.Write(ref isVictim, true);
                    return true;
                }),
                PassAsync(toPostgres, toService, answered => !(Volatile.Read(ref isVictim) && answered.EndsWith(Committed) && ++Lost > 0)));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or IOException)
        {
            // One of the two is gone, and so is the other.
        }
    }

    private async Task PassAsync(TcpClient from, TcpClient to, PassesOn passesOn)
    {
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await from.GetStream().ReadAsync(buffer, _end.Token)) > 0 && passesOn(buffer.AsSpan(0, read)))
            await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _end.Token);
    }

    private delegate bool PassesOn(ReadOnlySpan<byte> bytes);
}
