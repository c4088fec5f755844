using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DataService.Benchmarks.Bench;

/// <param name="Succeeded">Answers of 200.</param>
/// <param name="Seconds">From the first request to the last answer.</param>
/// <param name="OwnMicroseconds">Processor time of the generator, for each request.</param>
/// <param name="Latencies">Of each request in milliseconds, in rising order.</param>
internal sealed record LoadResult(int Succeeded, double Seconds, double OwnMicroseconds, double[] Latencies)
{
    public double PerSecond => Succeeded / Seconds;

    /// <param name="share">0.99 for what 99 of 100 requests are not above.</param>
    public double Percentile(double share) => Latencies[(int)Math.Ceiling(share * Latencies.Length) - 1];
}

/// <summary>
/// Requests over connections that stay open, each in a thread of its own with blocking calls: that takes the least of the processors, which
/// the service and its database share with it.
/// </summary>
internal sealed class HttpLoad(Uri address, string apiToken)
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    private readonly byte[] _head = Encoding.ASCII.GetBytes($" HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {apiToken}\r\nContent-Length: 0\r\n\r\n");

    /// <summary>POSTs as fast as the answers come.</summary>
    /// <param name="connections">At once.</param>
    /// <param name="limit">No request is begun later.</param>
    /// <param name="next">The path of the next request; null where there is none left. Called by many threads.</param>
    public LoadResult Run(int connections, TimeSpan limit, Func<string?> next) => Run(connections, limit, interval: null, next);

    /// <summary>POSTs at fixed times, and measures from those: a request that has to wait for the one before counts its wait.</summary>
    /// <param name="connections">At once.</param>
    /// <param name="limit">No request is begun later.</param>
    /// <param name="interval">Between two requests of one connection.</param>
    /// <param name="next">The path of the next request; null where there is none left. Called by many threads.</param>
    /// <exception cref="CannotRunException">An answer is not 200.</exception>
    public LoadResult Run(int connections, TimeSpan limit, TimeSpan? interval, Func<string?> next)
    {
        var latencies = new List<double>[connections];
        Exception? failure = null;
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        Thread[] threads = [.. Enumerable.Range(0, connections).Select(i => new Thread(() =>
        {
            latencies[i] = [];
            try
            {
                // Spread over the interval, so that they do not come in waves.
                Connect(clock, limit, interval, (interval ?? TimeSpan.Zero) * i / connections, next, latencies[i]);
            }
            catch (Exception exception) when (exception is SocketException or IOException or CannotRunException)
            {
                failure = exception;
            }
        }))];
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        var seconds = clock.Elapsed.TotalSeconds;
        var own = Process.GetCurrentProcess().TotalProcessorTime - before;
        if (failure is not null)
            throw new CannotRunException($"a request failed: {failure.Message}");
        double[] sorted = [.. latencies.SelectMany(each => each).Order()];
        return sorted is [] ? throw new CannotRunException("there was nothing left to request") : new(sorted.Length, seconds, own.TotalMicroseconds / sorted.Length, sorted);
    }

    private void Connect(Stopwatch clock, TimeSpan limit, TimeSpan? interval, TimeSpan first, Func<string?> next, List<double> latencies)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = (int)AnswerLimit.TotalMilliseconds };
        socket.Connect(IPAddress.Loopback, address.Port);
        var buffer = new byte[64 * 1024];
        for (var due = first; clock.Elapsed < limit; due += interval ?? TimeSpan.Zero)
        {
            if (interval is null)
                due = clock.Elapsed;
            else if (due - clock.Elapsed is { Ticks: > 0 } rest)
                Thread.Sleep(rest);
            if (next() is not { } path)
                return;
            var length = Encoding.ASCII.GetBytes($"POST {path}", buffer);
            _head.CopyTo(buffer, length);
            socket.Send(buffer, length + _head.Length, SocketFlags.None);
            Receive(socket, buffer);
            latencies.Add((clock.Elapsed - due).TotalMilliseconds);
        }
    }

    private static void Receive(Socket socket, byte[] buffer)
    {
        var length = 0;
        do
        {
            var read = socket.Receive(buffer, length, buffer.Length - length, SocketFlags.None);
            if (read is 0)
                throw new CannotRunException("the connection was closed");
            length += read;
        }
        while (!IsWhole(buffer.AsSpan(0, length)));
        if (!buffer.AsSpan().StartsWith("HTTP/1.1 200"u8))
            throw new CannotRunException(Encoding.UTF8.GetString(buffer, 0, length));
    }

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return false;
        var announced = answer[..end].IndexOf("Content-Length: "u8);
        if (announced < 0)
            return answer.EndsWith("\r\n0\r\n\r\n"u8);
        var digits = answer[(announced + 16)..end];
        var line = digits.IndexOf((byte)'\r');
        var body = int.Parse(line < 0 ? digits : digits[..line], System.Globalization.CultureInfo.InvariantCulture);
        return answer.Length >= end + 4 + body;
    }
}
