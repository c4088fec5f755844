using System.Text;
using Microsoft.Net.Http.Headers;

namespace GitHubSimulator.Requests;

/// <summary>The last 100,000 requests to the API, oldest first.</summary>
internal sealed class RequestLog(TimeProvider time)
{
    private const int Capacity = 100_000;
    private readonly Lock _lock = new();
    private readonly Queue<ReceivedRequest> _requests = [];
    private readonly List<Waiter> _waiters = [];
    private long _total;

    /// <summary>All requests ever received, also those that the log has dropped or forgotten.</summary>
    public long Total
    {
        get
        {
            lock (_lock)
                return _total;
        }
    }

    public IReadOnlyList<ReceivedRequest> All
    {
        get
        {
            lock (_lock)
                return [.. _requests];
        }
    }

    /// <summary>Those to a path, given as in a fault: <c>/orgs/*/repos</c>.</summary>
    public IReadOnlyList<ReceivedRequest> Of(string method, string pathPattern) => [.. All.Where(request =>
        request.Method.Equals(method, StringComparison.OrdinalIgnoreCase) && Glob.MatchesPath(pathPattern, request.Path))];

    /// <summary>The first request that fits: one already in the log, or the next one to come.</summary>
    public Task<ReceivedRequest> WhenReceived(Func<ReceivedRequest, bool> fits, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_requests.FirstOrDefault(fits) is { } request)
                return Task.FromResult(request);

            var waiter = new Waiter(fits, new(TaskCreationOptions.RunContinuationsAsynchronously));
            _waiters.Add(waiter);
            return waiter.Arrival.Task.WaitAsync(cancellationToken);
        }
    }

    public ReceivedRequest Add(HttpRequest request, byte[] body)
    {
        var headers = request.Headers
            .Where(header => !header.Key.Equals(HeaderNames.Authorization, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        lock (_lock)
        {
            var received = new ReceivedRequest
            {
                Number = ++_total,
                Time = time.GetUtcNow(),
                Method = request.Method,
                Path = request.Path.Value ?? "",
                PathBase = request.PathBase.Value ?? "",
                Query = request.QueryString.Value ?? "",
                HasAuthorization = request.Headers.ContainsKey(HeaderNames.Authorization),
                Headers = headers,
                Body = Encoding.UTF8.GetString(body),
            };
            _requests.Enqueue(received);
            if (_requests.Count > Capacity)
                _requests.Dequeue();
            foreach (var waiter in _waiters.Where(waiter => waiter.Fits(received)).ToArray())
            {
                waiter.Arrival.TrySetResult(received);
                _waiters.Remove(waiter);
            }

            return received;
        }
    }

    public void Clear()
    {
        lock (_lock)
            _requests.Clear();
    }

    private sealed record Waiter(Func<ReceivedRequest, bool> Fits, TaskCompletionSource<ReceivedRequest> Arrival);
}
