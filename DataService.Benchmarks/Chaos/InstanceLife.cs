namespace DataService.Benchmarks.Chaos;

/// <summary>One process of an instance, from its start to its end; times in UTC.</summary>
internal sealed record InstanceLife(int ProcessId, DateTime StartedAt)
{
    /// <summary>When it first answered that it is ready; null where it did not live to see that.</summary>
    public DateTime? ReadyAt { get; init; }

    public DateTime? EndedAt { get; init; }

    /// <summary>By us, with SIGKILL. Others ended by themselves.</summary>
    public bool Killed { get; init; }

    /// <summary>The first line on its standard error, which says why a process ended by itself.</summary>
    public string? Complaint { get; init; }

    /// <summary>When it could work on jobs; null where it never could.</summary>
    public TimeWindow? Ready => ReadyAt is { } from ? new TimeWindow(from, EndedAt ?? DateTime.MaxValue) : null;
}
