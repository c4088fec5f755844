using System.CommandLine;
using DataService.Benchmarks.Bench;

namespace DataService.Benchmarks.Approvals;

/// <summary>
/// Whether the service stays as fast while the tables grow: a long run of approvals, tenth by tenth, the last of them beside the first of
/// another run.
/// </summary>
internal static class GrowthCommand
{
    private const int Connections = 16;
    private const int Parts = 10;
    private const double Bar = 0.9;

    /// <summary>Of the last part; some tenths of a second each.</summary>
    private const int Slices = 20;

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
            "growth", "Approvals a second of the last tenth of a long run, in turn with those of a first.", [approvals, warmUp, create],
            (arguments, bed, report, cancellationToken) => RunAsync(
                bed, report, arguments.GetValue(approvals) / Parts, arguments.GetValue(warmUp), arguments.GetValue(create),
                cancellationToken));
    }

    private static async Task RunAsync(Bed bed, Report report, int part, int warmUp, bool create, CancellationToken cancellationToken)
    {
        if (!create)
            bed.HoldGitHub();
        var grown = await WarmUpAsync("service", bed.Database, part * Parts);
        var first = 0.0;
        for (var number = 1; number < Parts; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var tenth = Approve(grown, part);
            first = number is 1 ? tenth.PerSecond : first;
            Tell(grown, number, tenth);
            await RestAsync(grown);
        }

        // The machine is another one from minute to minute: the last tenth takes turns with the first tenth of a service that has just begun.
        var young = await WarmUpAsync("young", await bed.CreateDatabaseAsync("young", cancellationToken), part);
        Side[] turn = [grown, young];
        var slices = turn.ToDictionary(side => side, _ => new List<Approvals>());
        for (var (number, done) = (1, 0); done < part; number++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = part * number / Slices - done;
            foreach (var side in count > 0 ? turn : [])
                slices[side].Add(Approve(side, count));
            done += count;
            Array.Reverse(turn);
        }

        await RestAsync(grown);
        await RestAsync(young);
        var (last, beginning) = (Approvals.Join(slices[grown]), Approvals.Join(slices[young]));
        Tell(grown, Parts, last);
        Tell(young, 1, beginning);
        await CheckAsync(grown.Database, part * Parts + warmUp, cancellationToken);
        await CheckAsync(young.Database, part + warmUp, cancellationToken);
        await NoteTablesAsync(grown.Database, report, cancellationToken);
        report.Note($"last tenth of the service's own first, minutes before it: {last.PerSecond / first:0.00} x");
        report.AtLeast("approvals a second, last tenth of the first of a service that takes turns with it", last.PerSecond / beginning.PerSecond, Bar);

        async Task<Side> WarmUpAsync(string name, BenchDatabase database, int projects)
        {
            var service = await bed.StartAsync(new ServiceStart { Name = name }, cancellationToken, database);
            await database.SeedProjectsAsync("warm", warmUp, cancellationToken);
            await database.SeedProjectsAsync("grown", projects, cancellationToken);
            await database.ExecuteAsync("VACUUM ANALYZE", cancellationToken);
            var load = new HttpLoad(service.Address, service.Token);
            load.Run(Connections, PartLimit, new ProjectSupply("warm", warmUp).Next);
            var side = new Side(name, service, database, load, new ProjectSupply("grown", projects));
            await RestAsync(side);
            // A slow beginning would let the end look good: the plans that were made for empty tables are made anew, the disk has caught up.
            await database.ExecuteAsync("VACUUM ANALYZE; CHECKPOINT", cancellationToken);
            return side;
        }

        void Tell(Side side, int number, Approvals tenth) => report.Note(
            $"{side.Name} up to {number * part}: {tenth.PerSecond:0}/s, {tenth.PerSecond / first:0.00} x,"
            + $" p50 {tenth.Percentile(0.5):0.0} ms, p99 {tenth.Percentile(0.99):0.0} ms,"
            + $" service {side.Service.Megabytes:0} MB and {tenth.ProcessorTime.TotalMicroseconds / tenth.Count:0} us of processor time an approval");

        Task RestAsync(Side side) => create ? side.Database.ComeToRestAsync(cancellationToken) : Task.CompletedTask;
    }

    private static Approvals Approve(Side side, int count)
    {
        var before = side.Service.ProcessorTime;
        var result = side.Load.Run(Connections, PartLimit, side.Supply.Take(count));
        return new Approvals(result.Succeeded, result.Seconds, result.Latencies, side.Service.ProcessorTime - before);
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

    private sealed record Side(string Name, ServiceRun Service, BenchDatabase Database, HttpLoad Load, ProjectSupply Supply);

    /// <param name="Count">How many.</param>
    /// <param name="Seconds">From the first request to the last answer.</param>
    /// <param name="Latencies">In milliseconds.</param>
    /// <param name="ProcessorTime">The service's.</param>
    private sealed record Approvals(int Count, double Seconds, double[] Latencies, TimeSpan ProcessorTime)
    {
        public double PerSecond => Count / Seconds;

        public static Approvals Join(IReadOnlyCollection<Approvals> slices) => new(
            slices.Sum(slice => slice.Count), slices.Sum(slice => slice.Seconds), [.. slices.SelectMany(slice => slice.Latencies)],
            TimeSpan.FromTicks(slices.Sum(slice => slice.ProcessorTime.Ticks)));

        public double Percentile(double share) => Report.Percentile(Latencies, share);
    }
}
