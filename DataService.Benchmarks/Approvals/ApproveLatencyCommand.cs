using System.CommandLine;
using DataService.Benchmarks.Bench;

namespace DataService.Benchmarks.Approvals;

/// <summary>What those who approve feel of a GitHub that hangs: nothing, it should be.</summary>
internal static class ApproveLatencyCommand
{
    private const int Connections = 8;

    public static Command Create()
    {
        var rounds = BenchmarkCommand.Number("--rounds", "how often each is measured, in turn", 4, 50);
        var seconds = BenchmarkCommand.Seconds("--seconds", "how long each time; GitHub hangs for longer than that", 8, 25);
        var rate = BenchmarkCommand.Number("--rate", "approvals a second", 80, 1_000);
        var warmUp = BenchmarkCommand.Number("--warm-up", "approvals before anything is measured", 2_000, 20_000);
        return BenchmarkCommand.Create(
            "approve-latency", "How long an approval takes with GitHub hanging, beside a GitHub that answers at once.",
            [rounds, seconds, rate, warmUp],
            (arguments, bed, report, cancellationToken) => RunAsync(
                bed, report, arguments.GetValue(rounds), arguments.GetValue(seconds), arguments.GetValue(rate), arguments.GetValue(warmUp),
                cancellationToken));
    }

    private static async Task RunAsync(
        Bed bed, Report report, int rounds, double seconds, int rate, int warmUp, CancellationToken cancellationToken)
    {
        // A call hangs until the round is over and the fault is taken away: the service does not give up before.
        var environment = new Dictionary<string, string?> { ["GitHub__RequestTimeout"] = "00:00:30" };
        var service = await bed.StartAsync(new ServiceStart { Name = "service", Environment = environment }, cancellationToken);
        var count = warmUp + (int)Math.Ceiling(rounds * 2 * seconds * rate * 2);
        await bed.Database.SeedProjectsAsync("latency", count, cancellationToken);
        await bed.Database.ExecuteAsync("VACUUM ANALYZE; CHECKPOINT", cancellationToken);
        var supply = new ProjectSupply("latency", count);
        var load = new HttpLoad(service.Address, service.Token);
        load.Run(Connections, TimeSpan.FromSeconds(seconds), supply.Take(warmUp));

        List<double> answering = [], hanging = [];
        for (var round = 1; round <= rounds; round++)
        {
            await bed.Database.ComeToRestAsync(cancellationToken);
            answering.AddRange(Measure("answering at once"));
            await bed.Database.ComeToRestAsync(cancellationToken);
            bed.HoldGitHub();
            hanging.AddRange(Measure("hanging"));
            bed.GitHub.Faults.Clear();

            double[] Measure(string gitHub)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var interval = TimeSpan.FromSeconds(1.0 * Connections / rate);
                var result = load.Run(Connections, TimeSpan.FromSeconds(seconds), interval, supply.Next);
                report.Note(
                    $"round {round}, GitHub {gitHub}: {result.Succeeded} approvals, p50 {result.Percentile(0.5):0.00} ms,"
                    + $" p99 {result.Percentile(0.99):0.00} ms, max {result.Latencies[^1]:0.0} ms");
                return result.Latencies;
            }
        }

        var (atOnce, whileHanging) = (Report.Percentile(answering, 0.99), Report.Percentile(hanging, 0.99));
        report.Note($"all rounds, answering at once: p50 {Report.Percentile(answering, 0.5):0.00} ms, p99 {atOnce:0.00} ms");
        report.Note($"all rounds, hanging: p50 {Report.Percentile(hanging, 0.5):0.00} ms, p99 {whileHanging:0.00} ms");
        report.AtMost("p99 with GitHub hanging, of p99 with GitHub answering at once", whileHanging / atOnce, 1.1);
    }
}
