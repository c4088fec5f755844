using System.CommandLine;
using DataService.Benchmarks.Approvals;
using DataService.Benchmarks.Bench;
using DataService.Benchmarks.Chaos;
using DataService.Benchmarks.Dispatch;
using DataService.Benchmarks.Engine;
using DataService.Benchmarks.Footprint;
using DataService.Benchmarks.Seeding;
using DataService.Benchmarks.Sync;

namespace DataService.Benchmarks;

/// <summary>
/// Programs that run the service hard and print what it did; the first argument chooses one. In a namespace, with a Main: a top-level
/// Program would clash with the service's own in the tests that reference both.
/// </summary>
internal static class Program
{
    /// <summary>What a run has to end its processes after Ctrl-C or SIGTERM.</summary>
    private static readonly TimeSpan CleanUpLimit = TimeSpan.FromSeconds(30);

    private static Task<int> Main(string[] args) => RunAsync(args, Console.Out, Console.Error);

    /// <param name="args">The command line.</param>
    /// <param name="output">Takes the figures.</param>
    /// <param name="error">Takes what went wrong, and the progress.</param>
    /// <param name="bed">What a benchmark is measured on, where it is not on a PostgreSQL and processes of its own.</param>
    /// <returns>
    /// The exit code: 0 for a run that found nothing wrong; 1 for one that did, that could not be run, or whose command line is wrong;
    /// 2 for a measurement that missed its bar.
    /// </returns>
    public static Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, BedOptions? bed = null) =>
        new RootCommand("Runs the service hard and prints what it did.")
        {
            ChaosCommand.Create(),
            ApproveCommand.Create(),
            ApproveLatencyCommand.Create(),
            GrowthCommand.Create(),
            RoundTripsCommand.Create(),
            SeedCommand.Create(),
            RequeueCommand.Create(),
            ListsCommand.Create(),
            IdleCommand.Create(),
            RepositoryTimeCommand.Create(),
            InstancesCommand.Create(),
            FootprintCommand.Create(),
            SyncCommand.Create(),
            PlainWiring.Create(),
        }
            .Parse(args)
            .InvokeAsync(new BenchmarkInvocation
            {
                Bed = bed ?? new(),
                Output = output,
                Error = error,
                ProcessTerminationTimeout = CleanUpLimit,
            });
}
