namespace DataService.GitHub;

/// <summary>
/// Keeps this instance's calls that create content one at a time and apart, as GitHub asks of its clients: whoever goes faster is
/// limited, and whoever then goes on is banned.
/// </summary>
internal sealed class ContentPace(GitHubOptions options, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private long? _lastEnd;

    /// <summary>Makes the call when it is its turn.</summary>
    /// <param name="call">One request that creates something.</param>
    /// <param name="cancellationToken">Gives up waiting for the turn; the call has a token of its own.</param>
    public async Task<T> TakeTurnAsync<T>(Func<Task<T>> call, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_lastEnd is { } end && options.ContentInterval - time.GetElapsedTime(end) is { Ticks: > 0 } rest)
                await Task.Delay(rest, time, cancellationToken);
            return await call();
        }
        finally
        {
            _lastEnd = time.GetTimestamp();
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();
}
