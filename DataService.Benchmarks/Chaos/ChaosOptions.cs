using DataService.Data;

namespace DataService.Benchmarks.Chaos;

internal sealed record ChaosOptions
{
    /// <summary>How long instances are killed and approvals sent, once both instances have been ready.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Decides the faults, strangers and kills; the machine decides how they fall together.</summary>
    public int Seed { get; init; } = Random.Shared.Next(100_000);

    /// <summary>Projects created and approved in a second.</summary>
    public double Rate { get; init; } = 3;

    /// <summary>How long the service may take to finish once nobody disturbs it any more.</summary>
    public TimeSpan SettleLimit { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Where the run makes the folder of its database, which it deletes in the end.</summary>
    public string TemporaryFolder { get; init; } = Path.GetTempPath();

    /// <summary>The service, in the build that this was built with, unless told otherwise.</summary>
    public string Assembly { get; init; } = typeof(DataServiceDbContext).Assembly.Location;

    /// <summary>Keeps what the instances print; null: nothing is kept.</summary>
    public string? LogFolder { get; init; }
}
