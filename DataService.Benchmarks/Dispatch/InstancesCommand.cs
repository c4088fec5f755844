using System.CommandLine;
using System.Net.Http.Json;
using DataService.Benchmarks.Bench;
using GitHubSimulator.Faults;

namespace DataService.Benchmarks.Dispatch;

/// <summary>
/// How many creations 1, 2 and 4 instances on one database do in a second while GitHub takes its time, and whether each is done once.
/// </summary>
internal static class InstancesCommand
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan GiveUp = TimeSpan.FromMinutes(3);

    public static Command Create()
    {
        var jobs = BenchmarkCommand.Number("--jobs", "creations for each number of instances", 300, 5_000);
        var latency = BenchmarkCommand.Number("--latency", "milliseconds that GitHub takes for each call", 100, 10_000);
        var workers = BenchmarkCommand.Number(
            "--workers", "jobs that one instance runs at a time; few, so that GitHub is what they wait for", 2, 100);
        var warmUp = BenchmarkCommand.Number("--warm-up", "creations of each instance before the measurement", 50, 1_000);
        var most = BenchmarkCommand.Number("--most", "instances at most, from 1 on, each time twice as many", 4, 16, least: 2);
        return BenchmarkCommand.Create(
            "instances", "How the throughput of creations grows with instances on one database, and that each is done once.",
            [jobs, latency, workers, warmUp, most],
            (arguments, bed, report, cancellationToken) => RunAsync(
                bed, report, arguments.GetValue(jobs), arguments.GetValue(latency), arguments.GetValue(workers), arguments.GetValue(warmUp),
                arguments.GetValue(most), cancellationToken));
    }

    private static async Task RunAsync(
        Bed bed, Report report, int jobs, int latency, int workers, int warmUp, int most, CancellationToken cancellationToken)
    {
        bed.GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Delay, DelayMs = latency });
        report.Note($"{jobs} creations, GitHub at {latency} ms, {workers} workers an instance");
        var runs = new List<Run>();
        for (var count = 1; count <= most; count *= 2)
        {
            var run = await MeasureAsync(bed, count, jobs, workers, warmUp * count, cancellationToken);
            runs.Add(run);
            report.Note(
                $"{count} of them: {run.Rate:0.0} a second, {run.Rate / runs[0].Rate:0.00} x;"
                + $" begun by each: {string.Join(" + ", run.Shares)}");
        }

        foreach (var (fewer, more) in runs.Zip(runs.Skip(1)))
            report.Above($"creations a second, {more.Instances} instances of {fewer.Instances}", more.Rate / fewer.Rate, 1);
        report.AtMost("creations that were not run exactly once", runs.Sum(run => run.NotOnce), 0, "0");
        report.AtMost("repositories asked for more than once", runs.Sum(run => run.Duplicates), 0, "0");
    }

    private static async Task<Run> MeasureAsync(Bed bed, int count, int jobs, int workers, int warmUp, CancellationToken cancellationToken)
    {
        var database = await bed.CreateDatabaseAsync($"instances_{count}", cancellationToken);
        var environment = new Dictionary<string, string?> { ["Jobs__Workers"] = $"{workers}" };
        var start = new ServiceStart { Name = "service", Environment = environment };
        var instances = await bed.StartSeveralAsync(count, start, cancellationToken, database);
        try
        {
            var calls = CountPosts(bed);
            await CreateAsync(database, instances[0], $"warm-{count}", warmUp, cancellationToken);
            var elapsed = await CreateAsync(database, instances[0], $"run-{count}", jobs, cancellationToken);
            // How often each creation was begun, and by whom.
            var shares = await database.ReadAsync(
                """
                SELECT count(*) FROM hangfire.state JOIN repo_creations ON job_id = jobid::text
                WHERE name = 'Processing' GROUP BY data ->> 'ServerId' ORDER BY 1 DESC
                """,
                row => row.GetInt64(0), cancellationToken);
            var notOnce = await database.QueryAsync<long>(
                """
                SELECT count(*) FROM repo_creations
                WHERE (SELECT count(*) FROM hangfire.state WHERE jobid::text = job_id AND name = 'Processing') <> 1
                """,
                cancellationToken);
            return new(count, jobs / elapsed.TotalSeconds, CountPosts(bed) - calls - warmUp - jobs, notOnce, shares);
        }
        finally
        {
            foreach (var instance in instances)
                await instance.DisposeAsync();
        }
    }

    private static int CountPosts(Bed bed) => bed.GitHub.Requests.All.Count(request => request.Method is "POST");

    /// <summary>Adds approved projects, and has the service create their repositories.</summary>
    /// <returns>From the call that enqueues them to the last link.</returns>
    private static async Task<TimeSpan> CreateAsync(
        BenchDatabase database, ServiceRun instance, string name, int jobs, CancellationToken cancellationToken)
    {
        await database.ExecuteAsync(
            $"""
             INSERT INTO projects (id, name, slug, status, approved_at, created_at)
             SELECT gen_random_uuid(), '{name}-' || n, '{name}-' || n, 'review', now(), now() FROM generate_series(1, {jobs}) n
             """, cancellationToken);

        var begun = TimeProvider.System.GetTimestamp();
        const string Enqueue = "/repo-creations/enqueue-missing";
        using (var enqueued = await instance.Http.PostAsJsonAsync(Enqueue, new { limit = jobs }, cancellationToken))
            enqueued.EnsureSuccessStatusCode();
        using var ticks = new PeriodicTimer(Poll);
        while (await database.QueryAsync<long>("SELECT count(*) FROM projects WHERE github_repo IS NULL", cancellationToken) > 0)
        {
            if (TimeProvider.System.GetElapsedTime(begun) > GiveUp)
                throw new CannotRunException("the creations did not come to an end");
            await ticks.WaitForNextTickAsync(cancellationToken);
        }

        return TimeProvider.System.GetElapsedTime(begun);
    }

    /// <param name="Instances">How many.</param>
    /// <param name="Rate">Creations a second.</param>
    /// <param name="Duplicates">Repositories that GitHub was asked for beyond one each.</param>
    /// <param name="NotOnce">Creations whose job was begun never, or more than once.</param>
    /// <param name="Shares">How many creations each instance began.</param>
    private sealed record Run(int Instances, double Rate, int Duplicates, long NotOnce, IReadOnlyList<long> Shares);
}
