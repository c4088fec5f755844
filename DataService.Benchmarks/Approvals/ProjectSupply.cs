using System.Globalization;

namespace DataService.Benchmarks.Approvals;

/// <summary>Seeded projects, each approved once; handed out to many threads.</summary>
internal sealed class ProjectSupply(string prefix, int count)
{
    private int _taken;

    public int Left => Math.Max(0, count - Volatile.Read(ref _taken));

    /// <returns>The path that approves the next one; null where all are approved.</returns>
    public string? Next() => Interlocked.Increment(ref _taken) is var number && number <= count
        ? string.Create(CultureInfo.InvariantCulture, $"/projects/{prefix}-{number}/approve")
        : null;

    /// <summary>So many of the next ones.</summary>
    public Func<string?> Take(int most)
    {
        var left = most;
        return () => Interlocked.Decrement(ref left) >= 0 ? Next() : null;
    }
}
