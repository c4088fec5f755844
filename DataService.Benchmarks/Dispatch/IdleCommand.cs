using System.CommandLine;
using DataService.Benchmarks.Bench;
using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;

namespace DataService.Benchmarks.Dispatch;

/// <summary>
/// What an instance without work asks of PostgreSQL, beside what Hangfire's own server does at its defaults, and as it would have to be set
/// for nearly the same promptness: in the same minute, on databases of one cluster.
/// </summary>
internal static class IdleCommand
{
    private const double Limit = 2;
    private const int Workers = 10;

    public static Command Create()
    {
        var seconds = BenchmarkCommand.Seconds("--seconds", "how long to count; a recurring job runs every minute", 60, 3_600);
        var warmUp = BenchmarkCommand.Seconds("--warm-up", "seconds before that, for what happens at the start only", 20, 600);
        return BenchmarkCommand.Create(
            "idle", "Transactions of an instance without work, beside plain Hangfire servers.", [seconds, warmUp],
            (arguments, bed, report, cancellationToken) => RunAsync(
                bed, report, TimeSpan.FromSeconds(arguments.GetValue(seconds)), TimeSpan.FromSeconds(arguments.GetValue(warmUp)),
                cancellationToken));
    }

    private static async Task RunAsync(Bed bed, Report report, TimeSpan time, TimeSpan warmUp, CancellationToken cancellationToken)
    {
        var idle = await bed.CreateDatabaseAsync("idle_service", cancellationToken);
        var plain = await bed.CreateDatabaseAsync("idle_plain", cancellationToken);
        var prompt = await bed.CreateDatabaseAsync("idle_prompt", cancellationToken);
        // With the budget that it has where nobody sets one.
        var environment = new Dictionary<string, string?> { ["GitHub__ContentBudget"] = null, ["Jobs__Workers"] = $"{Workers}" };
        var service = await bed.StartAsync(new ServiceStart { Name = "service", Environment = environment }, cancellationToken, idle);
        using var plainServer = Start(plain, new PostgreSqlStorageOptions(), new BackgroundJobServerOptions { WorkerCount = Workers });
        using var promptServer = Start(
            prompt,
            new PostgreSqlStorageOptions { QueuePollInterval = TimeSpan.FromMilliseconds(500) },
            new BackgroundJobServerOptions { WorkerCount = Workers, SchedulePollingInterval = TimeSpan.FromSeconds(1) });
        await Task.Delay(warmUp, cancellationToken);

        var (before, begun) = (await CountAsync(bed, cancellationToken), TimeProvider.System.GetTimestamp());
        await Task.Delay(time, cancellationToken);
        var (after, elapsed) = (await CountAsync(bed, cancellationToken), TimeProvider.System.GetElapsedTime(begun).TotalSeconds);
        await service.CheckReadyAsync(cancellationToken);

        var (ours, theirs, prompts) = (Rate(idle), Rate(plain), Rate(prompt));
        report.Note($"transactions a second of an idle server with {Workers} workers, over {elapsed:0} s");
        report.Note($"plain Hangfire at its defaults, which look every 15 s: {theirs:0.00}, {theirs / ours:0.0} x");
        report.Note($"plain Hangfire that looks every 500 ms, at schedules every 1 s: {prompts:0.00}, {prompts / ours:0.0} x");
        report.AtMost("transactions a second of an idle instance", ours, Limit);

        double Rate(BenchDatabase database) => (after[database.Name] - before[database.Name]) / elapsed;
    }

    private static BackgroundJobServer Start(BenchDatabase database, PostgreSqlStorageOptions storage, BackgroundJobServerOptions server) =>
        new(server, new PostgreSqlStorage(new NpgsqlConnectionFactory(database.ConnectionString, storage), storage));

    /// <summary>Asked of another database than those that are counted.</summary>
    private static async Task<Dictionary<string, long>> CountAsync(Bed bed, CancellationToken cancellationToken) =>
        (await bed.Database.ReadAsync(
            "SELECT datname, xact_commit + xact_rollback FROM pg_stat_database WHERE datname IS NOT NULL",
            row => (Name: row.GetString(0), Count: row.GetInt64(1)), cancellationToken))
        .ToDictionary(database => database.Name, database => database.Count);
}
