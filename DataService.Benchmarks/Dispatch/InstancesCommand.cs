using System.CommandLine;
using System.Net.Http.Json;
using GitHubSimulator.Faults;
using Npgsql;

namespace DataService.Benchmarks.Dispatch;

/// <summary>How many creations 1, 2 and 4 instances on one database do in a second while GitHub takes its time, and whether each is done once.</summary>
internal static class InstancesCommand
{
    private static readonly int[] Counts = [1, 2, 4];
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan GiveUp = TimeSpan.FromMinutes(3);

    public static Command Create()
    {
        var jobs = Measurement.Number("--jobs", "creations for each number of instances", 800, least: 50);
        var latency = Measurement.Number("--latency", "milliseconds that GitHub takes for each call", 100, least: 0);
        var workers = Measurement.Number("--workers", "jobs that one instance runs at a time", 10, least: 1);
        var command = new Command("instances", "Measures how the throughput of creations grows with instances on one database.") { jobs, latency, workers };
        command.SetMeasurement((arguments, bed, output, cancellationToken) => MeasureAsync(
            bed, arguments.GetValue(jobs), arguments.GetValue(latency), arguments.GetValue(workers), output, cancellationToken));
        return command;
    }

    private static async Task MeasureAsync(TestBed bed, int jobs, int latency, int workers, TextWriter output, CancellationToken cancellationToken)
    {
        bed.GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Delay, DelayMs = latency });
        await output.WriteLineAsync($"{jobs} creations, GitHub at {latency} ms, {workers} workers an instance, {Environment.ProcessorCount} cores for all processes");
        var first = 0.0;
        foreach (var count in Counts)
        {
            var (rate, duplicates, shares) = await RunAsync(bed, count, jobs, workers, cancellationToken);
            first = first is 0 ? rate : first;
            await output.WriteLineAsync(
                $"  {count} instance{(count is 1 ? " " : "s")}  {rate,6:0.0} a second   {rate / first:0.00} x   {rate * latency / 1_000 / (count * workers):0.00} of what waiting for GitHub alone allows   {duplicates} duplicates   shares {string.Join(", ", shares)}");
        }
    }

    private static async Task<(double Rate, int Duplicates, IReadOnlyList<long> Shares)> RunAsync(TestBed bed, int count, int jobs, int workers, CancellationToken cancellationToken)
    {
        var connectionString = await bed.CreateDatabaseAsync($"instances_{count}", cancellationToken);
        var instances = await bed.StartInstancesAsync(
            connectionString, count, cancellationToken, ("GitHub__ContentBudget", "off"), ("Jobs__Workers", $"{workers}"));
        try
        {
            await using var dataSource = NpgsqlDataSource.Create(connectionString);
            await using (var seed = dataSource.CreateCommand(
                $"""
                 INSERT INTO projects (id, name, slug, status, approved_at, created_at)
                 SELECT gen_random_uuid(), 'Run {count} ' || n, 'run-{count}-' || n, 'review', now(), now() FROM generate_series(1, {jobs}) n
                 """))
                await seed.ExecuteNonQueryAsync(cancellationToken);
            var calls = bed.GitHub.Requests.All.Count(request => request.Method is "POST");

            var begun = TimeProvider.System.GetTimestamp();
            using (var enqueued = await bed.Http.PostAsJsonAsync(new Uri(instances[0].Address, "/repo-creations/enqueue-missing"), new { limit = jobs }, cancellationToken))
                enqueued.EnsureSuccessStatusCode();
            using var ticks = new PeriodicTimer(Poll);
            while (await CountAsync(dataSource, "SELECT count(*) FROM projects WHERE github_repo IS NOT NULL", cancellationToken) < jobs)
            {
                if (TimeProvider.System.GetElapsedTime(begun) > GiveUp)
                    throw new TimeoutException("the creations did not come to an end");
                await ticks.WaitForNextTickAsync(cancellationToken);
            }

            var elapsed = TimeProvider.System.GetElapsedTime(begun).TotalSeconds;
            var duplicates = bed.GitHub.Requests.All.Count(request => request.Method is "POST") - calls - jobs;
            return (jobs / elapsed, duplicates, await SharesAsync(dataSource, cancellationToken));
        }
        finally
        {
            foreach (var instance in instances)
                await instance.DisposeAsync();
        }
    }

    private static async Task<long> CountAsync(NpgsqlDataSource dataSource, string sql, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>How many runs each instance began.</summary>
    private static async Task<IReadOnlyList<long>> SharesAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "SELECT count(*) FROM hangfire.state WHERE name = 'Processing' GROUP BY data ->> 'ServerId' ORDER BY 1 DESC");
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<long> shares = [];
        while (await rows.ReadAsync(cancellationToken))
            shares.Add(rows.GetInt64(0));
        return shares;
    }
}
