namespace DataService.Benchmarks.Seeding;

internal sealed record SeedOptions
{
    /// <summary>Projects whose creation has failed; their jobs are there.</summary>
    public int Failed { get; init; } = 100_000;

    /// <summary>Projects that have their repository. Of jobs and events those are there that the retention keeps.</summary>
    public int Created { get; init; } = 1_000_000;

    /// <summary>Repeats names, times and codes, ids apart.</summary>
    public double Seed { get; init; } = 0.42;

    /// <summary>Adds to projects that are there. They are locked meanwhile.</summary>
    public bool Add { get; init; }
}

/// <summary>The database is not one to be seeded. The message is for the person at the terminal.</summary>
internal sealed class NotSeededException(string message) : Exception(message);
