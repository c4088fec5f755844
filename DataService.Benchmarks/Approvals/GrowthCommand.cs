using System.CommandLine;
using DataService.Benchmarks.Bench;

namespace DataService.Benchmarks.Approvals;

/// <summary>Whether the service stays as fast while the tables grow: a long run of approvals, tenth by tenth.</summary>
internal static class GrowthCommand
{
    private const int Connections = 16;
    private const int Parts = 10;
    private const double Bar = 0.9;

    /// <summary>For one part; none takes so long.</summary>
    private static readonly TimeSpan PartLimit = TimeSpan.FromHours(1);

    public static Command Create()
    {
        var approvals = BenchmarkCommand.Number("--approvals", "how many, in ten parts", 200_000, 10_000_000, least: Parts);
        var warmUp = BenchmarkCommand.Number(
            "--warm-up", "approvals before that, until the code is compiled as it stays", 20_000, 1_000_000);
        var create = new Option<bool>("--create")
        {
            Description = "have the repositories created meanwhile, and wait for them after each part; otherwise GitHub hangs",
        };
        return BenchmarkCommand.Create(
            "growth", "Approvals a second of the last tenth of a long run, beside those of the first.", [approvals, warmUp, create],
            (arguments, bed, report, cancellationToken) => RunAsync(
                bed, report, arguments.GetValue(approvals) / Parts, arguments.GetValue(warmUp), arguments.GetValue(create),
                cancellationToken));
    }

    private static async Task RunAsync(Bed bed, Report report, int part, int warmUp, bool create, CancellationToken cancellationToken)
    {
        if (!create)
            bed.HoldGitHub();
        var service = await bed.StartAsync("service", cancellationToken);
        var load = new HttpLoad(service.Address, service.Token);
        await bed.Database.SeedProjectsAsync("warm", warmUp, cancellationToken);
        await bed.Database.SeedProjectsAsync("grown", part * Parts, cancellationToken);
        await bed.Database.ExecuteAsync("VACUUM ANALYZE", cancellationToken);
        load.Run(Connections, PartLimit, new ProjectSupply("warm", warmUp).Next);
        await RestAsync();
        // A slow beginning would let the end look good: the plans that were made for empty tables are made anew, the disk has caught up.
        await bed.Database.ExecuteAsync("VACUUM ANALYZE; CHECKPOINT", cancellationToken);

        var supply = new ProjectSupply("grown", part * Parts);
        var rates = new List<double>();
        var costs = new List<double>();
        for (var number = 1; number <= Parts; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var before = service.ProcessorTime;
            var result = load.Run(Connections, PartLimit, supply.Take(part));
            rates.Add(result.PerSecond);
            costs.Add((service.ProcessorTime - before).TotalMicroseconds / result.Succeeded);
            report.Note(
                $"up to {number * part}: {result.PerSecond:0}/s, {result.PerSecond / rates[0]:0.00} x,"
                + $" p50 {result.Percentile(0.5):0.0} ms, p99 {result.Percentile(0.99):0.0} ms,"
                + $" service {service.Megabytes:0} MB and {costs[^1]:0} us of processor time an approval");
            await RestAsync();
        }

        await CheckAsync(bed.Database, part * Parts + warmUp, cancellationToken);
        await NoteTablesAsync(bed.Database, report, cancellationToken);
        // The service does the same for each approval, however many there were: a tenth in which that takes longer was one of a slower machine.
        report.Note(
            $"were the machine as fast in the last tenth as in the first, by the service's processor time: {rates[^1] * costs[^1] / (rates[0] * costs[0]):0.00} x");
        report.AtLeast("approvals a second, last tenth of the first", rates[^1] / rates[0], Bar);

        Task RestAsync() => create ? bed.Database.ComeToRestAsync(cancellationToken) : Task.CompletedTask;
    }

    /// <summary>A rate of what was not done is none.</summary>
    private static async Task CheckAsync(BenchDatabase database, int approvals, CancellationToken cancellationToken)
    {
        const string Approved =
            """
            SELECT count(*) FROM projects p JOIN repo_creations c ON c.project_id = p.id JOIN hangfire.job j ON j.id::text = c.job_id
            WHERE p.status = 'review'
            """;
        if (await database.QueryAsync<long>(Approved, cancellationToken) is var approved && approved != approvals)
            throw new CannotRunException($"{approvals} approvals were answered, and {approved} projects have their creation and job");
    }

    /// <summary>What the run leaves: the sizes with indexes, and what autovacuum has got to, or not.</summary>
    private static async Task NoteTablesAsync(BenchDatabase database, Report report, CancellationToken cancellationToken)
    {
        var tables = await database.ReadAsync(
            """
            SELECT CASE schemaname WHEN 'public' THEN '' ELSE schemaname || '.' END || relname, pg_total_relation_size(relid),
                n_live_tup, n_dead_tup, autovacuum_count, autoanalyze_count
            FROM pg_stat_user_tables WHERE n_live_tup + n_dead_tup > 0 AND (schemaname, relname) <> ('hangfire', 'schema')
            ORDER BY 2 DESC LIMIT 12
            """,
            row => $"{row.GetString(0),-24}{row.GetInt64(1) / 1e6,8:0.0}"
                + string.Concat(Enumerable.Range(2, 4).Select(column => $"{row.GetInt64(column),10}")),
            cancellationToken);
        report.Note($"{"table",-24}{"MB",8}{"rows",10}{"dead",10}{"vacuumed",10}{"analyzed",10}");
        foreach (var table in tables)
            report.Note(table);
        var size = await database.QueryAsync<long>("SELECT pg_database_size(current_database())", cancellationToken);
        report.Note($"the database: {size / 1e6:0} MB");
    }
}
