namespace GitHubSimulator.Limits;

internal sealed record PrimaryUsage(int Limit, int Used, DateTimeOffset Reset)
{
    public int Remaining => Math.Max(0, Limit - Used);
}

/// <summary>Requests an hour, in a window that begins with the first one.</summary>
internal sealed class PrimaryLimit(TimeProvider time)
{
    private readonly Lock _lock = new();
    private int _limit = 5000;
    private int _used;
    private DateTimeOffset _reset;

    public PrimaryUsage Usage
    {
        get
        {
            lock (_lock)
                return Current();
        }
    }

    public void Set(int perHour)
    {
        lock (_lock)
            _limit = perHour;
    }

    public bool TryTake()
    {
        lock (_lock)
        {
            if (Current().Remaining == 0)
                return false;

            _used++;
            return true;
        }
    }

    /// <summary>An answer of 304 is free of charge.</summary>
    public void GiveBack()
    {
        lock (_lock)
            _used = Math.Max(0, _used - 1);
    }

    private PrimaryUsage Current()
    {
        var now = time.GetUtcNow();
        if (now >= _reset)
            (_used, _reset) = (0, now.AddHours(1));
        return new(_limit, _used, _reset);
    }
}
