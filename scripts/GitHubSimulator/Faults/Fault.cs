namespace GitHubSimulator.Faults;

/// <summary>A rule that is set. It stays listed when it is used up, because calls may still be held by it.</summary>
internal sealed class Fault(int id, FaultRule rule)
{
    private readonly TaskCompletionSource _removal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _used;

    public int Id => id;

    public FaultRule Rule => rule;

    /// <summary>How many calls it has met.</summary>
    public int Used => Volatile.Read(ref _used);

    public bool IsSpent => Used >= rule.Times;

    public bool IsRemoved => _removal.Task.IsCompleted;

    /// <summary>Under the board's lock.</summary>
    public bool TryUse(string method, string path, string? name)
    {
        if (IsSpent || !rule.Meets(method, path, name))
            return false;

        Volatile.Write(ref _used, _used + 1);
        return true;
    }

    /// <returns>False if the client left or the simulator is stopping while the fault was still set.</returns>
    public async Task<bool> IsRemovedBeforeAsync(CancellationToken clientLeft, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(clientLeft, stopping);
        await _removal.Task.WaitAsync(end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return IsRemoved && !end.IsCancellationRequested;
    }

    public void Release() => _removal.TrySetResult();
}
