using System.CommandLine;
using System.Net.Http.Json;
using DataService.Benchmarks.Chaos;
using GitHubSimulator.Faults;
using Npgsql;

namespace DataService.Benchmarks.Dispatch;

/// <summary>
/// How many creations 1, 2 and 4 instances on one database do in a second while GitHub takes its time, and whether each is done once.
/// </summary>
internal static class InstancesCommand
{
    /// <summary>Creations for each instance before the measurement.</summary>
    private const int WarmUp = 50;

    private static readonly int[] Counts = [1, 2, 4];
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan GiveUp = TimeSpan.FromMinutes(3);

    public static Command Create()
    {
        var jobs = Measurement.Number("--jobs", "creations for each number of instances", 300, least: 50);
        var latency = Measurement.Number("--latency", "milliseconds that GitHub takes for each call", 100, least: 0);
        var workers = Measurement.Number("--workers", "jobs that one instance runs at a time; few, so that GitHub is what they wait for", 2, least: 1);
        var command = new Command("instances", "Measures how the throughput of creations grows with instances on one database.")
        {
            jobs, latency, workers,
        };
        command.SetMeasurement((arguments, bed, output, cancellationToken) => MeasureAsync(
            bed, arguments.GetValue(jobs), arguments.GetValue(latency), arguments.GetValue(workers), output, cancellationToken));
        return command;
    }

    private static async Task MeasureAsync(
        TestBed bed, int jobs, int latency, int workers, TextWriter output, CancellationToken cancellationToken)
    {
        bed.GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Delay, DelayMs = latency });
        await output.WriteLineAsync(
            $"{jobs} creations, GitHub at {latency} ms, {workers} workers an instance, {Environment.ProcessorCount} cores in all");
        var first = 0.0;
        foreach (var count in Counts)
        {
            var (rate, duplicates, shares) = await RunAsync(bed, count, jobs, workers, cancellationToken);
            first = first is 0 ? rate : first;
            await output.WriteLineAsync(
                $"  {count}  {rate,6:0.0} a second   {rate / first:0.00} x   {duplicates} duplicates   {string.Join(" + ", shares)} runs");
        }
    }

    private static async Task<(double Rate, int Duplicates, IReadOnlyList<long> Shares)> RunAsync(
        TestBed bed, int count, int jobs, int workers, CancellationToken cancellationToken)
    {
        var connectionString = await bed.CreateDatabaseAsync($"instances_{count}", cancellationToken);
        var instances = await bed.StartInstancesAsync(
            connectionString, count, cancellationToken, ("GitHub__ContentBudget", "off"), ("Jobs__Workers", $"{workers}"));
        try
        {
            await using var dataSource = NpgsqlDataSource.Create(connectionString);
            var calls = CountPosts(bed);
            var warm = WarmUp * count;
            await CreateAsync(bed, dataSource, instances[0], $"warm-{count}", warm, cancellationToken);
            var elapsed = await CreateAsync(bed, dataSource, instances[0], $"run-{count}", jobs, cancellationToken);
            return (jobs / elapsed.TotalSeconds, CountPosts(bed) - calls - warm - jobs, await SharesAsync(dataSource, cancellationToken));
        }
        finally
        {
            foreach (var instance in instances)
                await instance.DisposeAsync();
        }
    }

    private static int CountPosts(TestBed bed) => bed.GitHub.Requests.All.Count(request => request.Method is "POST");

    /// <summary>Adds approved projects, and has the service create their repositories.</summary>
    /// <returns>From the call that enqueues them to the last link.</returns>
    private static async Task<TimeSpan> CreateAsync(
        TestBed bed, NpgsqlDataSource dataSource, ServiceInstance instance, string name, int jobs, CancellationToken cancellationToken)
    {
        await using (var seed = dataSource.CreateCommand(
            $"""
             INSERT INTO projects (id, name, slug, status, approved_at, created_at)
             SELECT gen_random_uuid(), '{name}-' || n, '{name}-' || n, 'review', now(), now() FROM generate_series(1, {jobs}) n
             """))
            await seed.ExecuteNonQueryAsync(cancellationToken);

        var begun = TimeProvider.System.GetTimestamp();
        var enqueue = new Uri(instance.Address, "/repo-creations/enqueue-missing");
        using (var enqueued = await bed.Http.PostAsJsonAsync(enqueue, new { limit = jobs }, cancellationToken))
            enqueued.EnsureSuccessStatusCode();
        using var ticks = new PeriodicTimer(Poll);
        while (await CountUnlinkedAsync(dataSource, cancellationToken) > 0)
        {
            if (TimeProvider.System.GetElapsedTime(begun) > GiveUp)
                throw new TimeoutException("the creations did not come to an end");
            await ticks.WaitForNextTickAsync(cancellationToken);
        }

        return TimeProvider.System.GetElapsedTime(begun);
    }

    private static async Task<long> CountUnlinkedAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand("SELECT count(*) FROM projects WHERE github_repo IS NULL");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>How many creations each instance began.</summary>
    private static async Task<IReadOnlyList<long>> SharesAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            SELECT count(*) FROM hangfire.state JOIN repo_creations ON job_id = jobid::text
            WHERE name = 'Processing' GROUP BY data ->> 'ServerId' ORDER BY 1 DESC
            """);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<long> shares = [];
        while (await rows.ReadAsync(cancellationToken))
            shares.Add(rows.GetInt64(0));
        return shares;
    }
}
