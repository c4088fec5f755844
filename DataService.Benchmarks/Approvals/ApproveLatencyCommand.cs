using System.CommandLine;
using DataService.Benchmarks.Bench;

namespace DataService.Benchmarks.Approvals;

/// <summary>What those who approve feel of a GitHub that hangs: nothing, it should be.</summary>
internal static class ApproveLatencyCommand
{
    private const int Connections = 8;
    private const int WarmUp = 2_000;

    public static Command Create()
    {
        var rounds = BenchmarkCommand.Number("--rounds", "how often each is measured, in turn", 4, 50);
        var seconds = BenchmarkCommand.Number("--seconds", "how long each time; GitHub hangs for longer than that", 8, 25);
        var rate = BenchmarkCommand.Number("--rate", "approvals a second", 80, 1_000);
        return BenchmarkCommand.Create(
            "approve-latency", "How long an approval takes with GitHub hanging, beside a GitHub that answers at once.", [rounds, seconds, rate],
            (arguments, bed, report, cancellationToken) =>
                RunAsync(bed, report, arguments.GetValue(rounds), arguments.GetValue(seconds), arguments.GetValue(rate), cancellationToken));
    }

    private static async Task RunAsync(BedOptions options, Report report, int rounds, int seconds, int rate, CancellationToken cancellationToken)
    {
        await using var bed = await Bed.MakeAsync(options, cancellationToken);
        // A call hangs until the round is over and the fault is taken away: the service does not give up before.
        var service = await bed.StartAsync("service", cancellationToken, new Dictionary<string, string> { ["GitHub__RequestTimeout"] = "00:00:30" });
        var count = WarmUp + rounds * 2 * seconds * rate * 2;
        await bed.SeedProjectsAsync("latency", count, cancellationToken);
        await bed.ExecuteAsync("VACUUM ANALYZE; CHECKPOINT", cancellationToken);
        var supply = new ProjectSupply("latency", count);
        var load = new HttpLoad(service.Address, bed.ApiToken);
        load.Run(Connections, TimeSpan.FromSeconds(seconds), supply.Take(WarmUp));

        List<double> answering = [], hanging = [];
        for (var round = 1; round <= rounds; round++)
        {
            await bed.ComeToRestAsync(cancellationToken);
            answering.AddRange(Measure("answering at once"));
            await bed.ComeToRestAsync(cancellationToken);
            bed.HoldWorkers();
            hanging.AddRange(Measure("hanging"));
            bed.GitHub.Faults.Clear();

            double[] Measure(string gitHub)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var result = load.Run(Connections, TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(1.0 * Connections / rate), supply.Next);
                report.Note(
                    $"round {round}, GitHub {gitHub}: {result.Succeeded} approvals, p50 {result.Percentile(0.5):0.00} ms, p99 {result.Percentile(0.99):0.00} ms, max {result.Latencies[^1]:0.0} ms");
                return result.Latencies;
            }
        }

        var (atOnce, whileHanging) = (Percentile(answering, 0.99), Percentile(hanging, 0.99));
        report.Note(
            $"all rounds: answering at once p50 {Percentile(answering, 0.5):0.00} ms, p99 {atOnce:0.00} ms; hanging p50 {Percentile(hanging, 0.5):0.00} ms, p99 {whileHanging:0.00} ms");
        report.AtMost("p99 with GitHub hanging, of p99 with GitHub answering at once", whileHanging / atOnce, 1.1);
    }

    private static double Percentile(List<double> latencies, double share)
    {
        latencies.Sort();
        return latencies[(int)Math.Ceiling(share * latencies.Count) - 1];
    }
}
