using DataService.Data;

namespace DataService.Benchmarks.Bench;

/// <summary>What a bed is made of. A test, which asks for no time, has a PostgreSQL already and the service in its own process.</summary>
internal sealed record BedOptions
{
    /// <summary>Where PostgreSQL's programs are; null for the usual places.</summary>
    public string? PostgresFolder { get; init; }

    /// <summary>Keeps what the service prints; null: nothing is kept.</summary>
    public string? LogFolder { get; init; }

    /// <summary>Told of what takes long before the measurement.</summary>
    public TextWriter Progress { get; init; } = TextWriter.Null;

    /// <summary>Makes a database elsewhere, and returns its connection string; null: the bed has a PostgreSQL of its own.</summary>
    public Func<Task<string>>? MakeDatabase { get; init; }

    /// <summary>Starts a program; returns when it is ready.</summary>
    public Func<ServiceStart, CancellationToken, Task<ServiceRun>> Start { get; init; } = ServiceRun.StartAsync;
}

/// <summary>A program to start.</summary>
internal sealed record ServiceStart
{
    /// <summary>For its log.</summary>
    public required string Name { get; init; }

    /// <summary>The service, in the build that the benchmark was built with, unless told otherwise.</summary>
    public string Assembly { get; init; } = typeof(DataServiceDbContext).Assembly.Location;

    /// <summary>The command line.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>All that it is told, beside its address. The bed adds what is missing; null takes away what the bed would add.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The file that takes what it prints; the bed chooses it.</summary>
    public string Log { get; init; } = "";
}
