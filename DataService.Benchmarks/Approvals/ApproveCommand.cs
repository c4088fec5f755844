using System.CommandLine;
using DataService.Benchmarks.Bench;

namespace DataService.Benchmarks.Approvals;

/// <summary>How many approvals a second: beside what PostgreSQL can do at most, and beside the wiring that one would write first.</summary>
internal static class ApproveCommand
{
    private const int Connections = 16;

    private const int MostPerSecond = 3_000;

    /// <summary>One transaction: a project is changed and a row added. Each client has projects of its own.</summary>
    private const string Limit =
        """
        \set i :i + 1
        \set n 1 + (:client_id + 16 * :i) % :projects
        BEGIN;
        UPDATE projects SET status = 'review', approved_at = now() WHERE slug = 'limit-' || :n;
        INSERT INTO hangfire.job (statename, invocationdata, arguments, createdat) VALUES ('Enqueued', '{}', '[]', now());
        COMMIT;
        """;

    /// <summary>Projects that are what the measurement says they are.</summary>
    private const string Approved =
        """
        SELECT count(*) FROM projects p JOIN repo_creations c ON c.project_id = p.id JOIN hangfire.job j ON j.id::text = c.job_id
        WHERE p.slug LIKE 'service-%' AND p.status = 'review'
        """;

    public static Command Create()
    {
        var rounds = BenchmarkCommand.Number("--rounds", "how often each of the three is measured, in turn", 5, 50);
        var seconds = BenchmarkCommand.Seconds("--seconds", "how long each time; pgbench takes whole ones", 5, 60);
        var warmUp = BenchmarkCommand.Seconds(
            "--warm-up", "seconds before anything is measured, until the code is compiled as it stays", 12, 120, least: 0);
        var projects = BenchmarkCommand.Number("--projects", "what pgbench changes, over and over", 100_000, 1_000_000);
        return BenchmarkCommand.Create(
            "approve", "Approvals a second at 16 connections, beside pgbench and beside a plain TransactionScope.",
            [rounds, seconds, warmUp, projects],
            (arguments, bed, report, cancellationToken) => RunAsync(
                bed, report, arguments.GetValue(rounds), arguments.GetValue(seconds), arguments.GetValue(warmUp),
                arguments.GetValue(projects), cancellationToken));
    }

    private static async Task RunAsync(
        Bed bed, Report report, int rounds, double seconds, double warmUp, int projects, CancellationToken cancellationToken)
    {
        var pgbench = await Pgbench.FindAsync(bed, cancellationToken);
        bed.HoldGitHub();
        var service = await bed.StartAsync("service", cancellationToken);
        var plain = await bed.StartAsync(
            new ServiceStart { Name = "plain-wiring", Assembly = typeof(ApproveCommand).Assembly.Location, Arguments = [PlainWiring.Name] },
            cancellationToken);
        var each = (int)Math.Ceiling((warmUp + (rounds + 1) * seconds) * MostPerSecond);
        await bed.Database.SeedProjectsAsync("limit", projects, cancellationToken);
        await bed.Database.SeedProjectsAsync("service", each, cancellationToken);
        await bed.Database.SeedProjectsAsync("plain", each / 2, cancellationToken);
        await bed.Database.ExecuteAsync("VACUUM ANALYZE; CHECKPOINT", cancellationToken);
        var (ofService, ofPlain) = (new ProjectSupply("service", each), new ProjectSupply("plain", each / 2));
        var (toService, toPlain) = (new HttpLoad(service.Address, service.Token), new HttpLoad(plain.Address, plain.Token));
        var script = Limit.Replace(":projects", $"{projects}", StringComparison.Ordinal);

        var time = TimeSpan.FromSeconds(seconds);
        if (warmUp > 0)
        {
            toService.Run(Connections, TimeSpan.FromSeconds(warmUp), ofService.Next);
            toPlain.Run(Connections, TimeSpan.FromSeconds(warmUp), ofPlain.Next);
            // A database in use: the plans that were made for empty tables are made anew.
            await bed.Database.ExecuteAsync("VACUUM ANALYZE", cancellationToken);
            toService.Run(Connections, time, ofService.Next);
            toPlain.Run(Connections, time, ofPlain.Next);
        }

        var figures = new List<(double Limit, double Plain, LoadResult Service, double ServiceCost)>();
        for (var round = 1; round <= rounds; round++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var limit = await pgbench.RunAsync(bed, script, Connections, (int)Math.Ceiling(seconds), cancellationToken);
            var plainly = toPlain.Run(Connections, time, ofPlain.Next);
            var before = service.ProcessorTime;
            var served = toService.Run(Connections, time, ofService.Next);
            figures.Add((limit, plainly.PerSecond, served, (service.ProcessorTime - before).TotalMicroseconds / served.Succeeded));
            report.Note(
                $"round {round}: pgbench {limit:0}/s, plain wiring {plainly.PerSecond:0}/s, service {served.PerSecond:0}/s"
                + $" (p50 {served.Percentile(0.5):0.0} ms, p99 {served.Percentile(0.99):0.0} ms)");
        }

        var jobs = await bed.Database.QueryAsync<long>(Approved, cancellationToken);
        report.Note(
            $"medians: pgbench {Median(f => f.Limit):0}/s, plain wiring {Median(f => f.Plain):0}/s,"
            + $" service {Median(f => f.Service.PerSecond):0}/s; {jobs} projects approved with creation and job");
        report.Note(
            $"processor time of an approval: service {Median(f => f.ServiceCost):0} us,"
            + $" load generator {Median(f => f.Service.OwnMicroseconds):0} us");
        report.AtLeast("approve, of the limit", Median(f => f.Service.PerSecond / f.Limit), 0.3);
        report.AtLeast("approve, of the plain wiring", Median(f => f.Service.PerSecond / f.Plain), 1.8);

        double Median(Func<(double Limit, double Plain, LoadResult Service, double ServiceCost), double> of) =>
            Report.Median(figures.Select(of));
    }
}
