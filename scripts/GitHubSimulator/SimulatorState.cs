using GitHubSimulator.Faults;
using GitHubSimulator.Limits;
using GitHubSimulator.Repositories;
using GitHubSimulator.Requests;

namespace GitHubSimulator;

/// <summary>All that one simulator knows; tests take it from the host's services to prepare and to assert.</summary>
internal sealed class SimulatorState(SimulatorOptions options, TimeProvider time)
{
    public SimulatorOptions Options => options;

    public TimeProvider Time => time;

    public RepositoryStore Repositories { get; } = new(time, options.DataFile is { } path ? new DataFile(path) : null);

    public FaultBoard Faults { get; } = new();

    public RequestLog Requests { get; } = new(time);

    public PrimaryLimit PrimaryLimit { get; } = new(time);

    public ContentLimit ContentLimit { get; } = new(time);

    public TokenGrant Token { get; } = new(time, options.TokenExpires);
}
