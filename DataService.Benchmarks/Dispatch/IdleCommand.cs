using System.CommandLine;
using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Npgsql;

namespace DataService.Benchmarks.Dispatch;

/// <summary>
/// What an instance without work asks of PostgreSQL, beside what Hangfire's own server does at its defaults, and as it would have to be set
/// for nearly the same promptness: in the same minute, on databases of one cluster.
/// </summary>
internal static class IdleCommand
{
    private const double Limit = 2;
    private const int Workers = 10;

    /// <summary>For what happens at the start only.</summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);

    public static Command Create()
    {
        var seconds = Measurement.Number("--seconds", "how long to count; a recurring job runs every minute", 60, least: 10);
        var command = new Command("idle", "Counts the transactions of an instance without work, and of plain Hangfire servers beside it.")
        {
            seconds,
        };
        command.SetMeasurement((arguments, bed, output, cancellationToken) =>
            MeasureAsync(bed, TimeSpan.FromSeconds(arguments.GetValue(seconds)), output, cancellationToken));
        return command;
    }

    private static async Task MeasureAsync(TestBed bed, TimeSpan time, TextWriter output, CancellationToken cancellationToken)
    {
        var service = await bed.CreateDatabaseAsync("idle_service", cancellationToken);
        var plain = await bed.CreateDatabaseAsync("idle_plain", cancellationToken);
        var prompt = await bed.CreateDatabaseAsync("idle_prompt", cancellationToken);
        await using var instance = (await bed.StartInstancesAsync(service, 1, cancellationToken))[0];
        using var plainServer = Start(plain, new PostgreSqlStorageOptions(), new BackgroundJobServerOptions { WorkerCount = Workers });
        using var promptServer = Start(
            prompt,
            new PostgreSqlStorageOptions { QueuePollInterval = TimeSpan.FromMilliseconds(500) },
            new BackgroundJobServerOptions { WorkerCount = Workers, SchedulePollingInterval = TimeSpan.FromSeconds(1) });
        await Task.Delay(WarmUp, cancellationToken);

        await using var dataSource = NpgsqlDataSource.Create(bed.ConnectionString);
        var (before, begun) = (await CountAsync(dataSource, cancellationToken), TimeProvider.System.GetTimestamp());
        await Task.Delay(time, cancellationToken);
        var (after, elapsed) = (await CountAsync(dataSource, cancellationToken), TimeProvider.System.GetElapsedTime(begun).TotalSeconds);
        if (!instance.IsReady)
            throw new TimeoutException("the instance has died");

        var rates = after.ToDictionary(entry => entry.Key, entry => (entry.Value - before[entry.Key]) / elapsed);
        var ours = rates["idle_service"];
        var verdict = ours <= Limit ? "kept" : "missed";
        await output.WriteLineAsync($"transactions a second of one idle server with {Workers} workers, over {elapsed:0} s");
        await output.WriteLineAsync($"  the service, all of it                           {ours,6:0.00}   limit {Limit:0.00}, {verdict}");
        await WriteAsync("plain Hangfire, its defaults (looks every 15 s) ", rates["idle_plain"]);
        await WriteAsync("plain Hangfire, 500 ms and schedules every 1 s  ", rates["idle_prompt"]);

        Task WriteAsync(string wiring, double rate) => output.WriteLineAsync($"  {wiring} {rate,6:0.00}   {rate / ours:0.0} x");
    }

    private static BackgroundJobServer Start(
        string connectionString, PostgreSqlStorageOptions storage, BackgroundJobServerOptions server) =>
        new(server, new PostgreSqlStorage(new NpgsqlConnectionFactory(connectionString, storage), storage));

    private static async Task<Dictionary<string, long>> CountAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "SELECT datname, xact_commit + xact_rollback FROM pg_stat_database WHERE datname LIKE 'idle_%'");
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        Dictionary<string, long> counts = [];
        while (await rows.ReadAsync(cancellationToken))
            counts[rows.GetString(0)] = rows.GetInt64(1);
        return counts;
    }
}
