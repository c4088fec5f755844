using System.CommandLine;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using DataService.Benchmarks.Bench;
using DataService.Benchmarks.Seeding;
using DataService.Data;
using DataService.Domain;
using DataService.Jobs;
using Hangfire;
using Hangfire.PostgreSql;

namespace DataService.Benchmarks.Engine;

/// <summary>Re-runs failed creations by a filter as the script does, beside Hangfire's own client on a sample, in one run.</summary>
internal static class RequeueCommand
{
    private const int Bar = 20_000;
    private const double FlatBar = 1.1;
    private const int BatchSize = 5_000;

    /// <summary>Code is compiled as it stays when it has run often, not long.</summary>
    private const int WarmUpBatchSize = 200;
    private const string Reason = "The token was renewed.";

    /// <summary>The sample for the other side is of these, and the filter names all others.</summary>
    private const FailureKind Sampled = FailureKind.GitHubValidation;

    private static readonly TimeSpan MemoryPoll = TimeSpan.FromMilliseconds(50);

    public static Command Create()
    {
        var count = BenchmarkCommand.Number("--count", "failed creations to run again", 50_000, 10_000_000);
        var warmUp = BenchmarkCommand.Number("--warm-up", "failed creations before them, not measured, until the code is compiled as it stays", 10_000, 1_000_000, least: 0);
        var created = BenchmarkCommand.Number("--created", "projects beside them that have their repository", 200_000, 10_000_000);
        var sample = BenchmarkCommand.Number("--sample", "jobs for Hangfire's own client", 1_000, 100_000);
        return BenchmarkCommand.Create(
            "requeue", "The bulk re-run of failed creations, beside Hangfire's client one by one.", [count, warmUp, created, sample],
            (arguments, bed, report, cancellationToken) => RunAsync(
                bed, report, arguments.GetValue(count), arguments.GetValue(warmUp), arguments.GetValue(created), arguments.GetValue(sample), cancellationToken));
    }

    private static async Task RunAsync(
        Bed bed, Report report, int count, int warmUp, int created, int sample, CancellationToken cancellationToken)
    {
        // A tenth is of the sampled kind, and a hundredth was deleted.
        var seeded = new SeedOptions { Failed = Math.Max(count + warmUp, sample * 10) * 5 / 4, Created = created };
        await bed.Database.SeedAsync(seeded, bed.Options.Progress, cancellationToken);
        var oneByOne = await OneByOneAsync(bed.Database, sample, cancellationToken);
        bed.HoldGitHub();
        var service = await bed.StartAsync(new ServiceStart { Name = "service", Environment = StandingStill.Settings }, cancellationToken);
        service.Http.DefaultRequestHeaders.UserAgent.ParseAdd("dataservice-scripts/1.0");

        if (warmUp > 0)
        {
            _ = await RequeueAsync(service.Http, warmUp, WarmUpBatchSize, cancellationToken);
            await service.ComeToRestAsync(cancellationToken);
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = WatchAsync(service, end.Token);
        var (requeued, elapsed, batches) = await RequeueAsync(service.Http, count, BatchSize, cancellationToken);
        await end.CancelAsync();
        var memory = await watching;

        await CheckAsync(bed.Database, requeued + warmUp, sample, cancellationToken);
        var rate = requeued / elapsed.TotalSeconds;
        report.Note($"one by one, Hangfire's client: {oneByOne:0} jobs/s ({sample} jobs)");
        report.Note($"in bulk, over REST: {rate:0} jobs/s ({requeued} jobs in {elapsed.TotalSeconds:0.00} s), {rate / oneByOne:0.0} x");
        report.Note($"batches of {BatchSize}, ms: {batches}");
        double[] ofService = [.. memory.Select(both => both.Service)], ofClient = [.. memory.Select(both => both.Client)];
        Note("service", ofService);
        Note("client", ofClient);
        report.AtLeast("in bulk, jobs/s", rate, Bar, "0");
        // What is compiled and pooled with the first batches stays; what comes later must not add to it.
        report.AtMost("memory of the service, last third of the run of the second", Growth(ofService), FlatBar);
        report.AtMost("memory of the client, last third of the run of the second", Growth(ofClient), FlatBar);

        void Note(string whose, double[] looks) =>
            report.Note($"memory of the {whose}, MB: {looks[0]:0} before, {looks.Max():0} at most, {looks[^1]:0} after");
    }

    private static double Growth(double[] looks) =>
        looks[^((looks.Length + 2) / 3)..].Max() / looks[(looks.Length / 3)..(looks.Length / 3 + (looks.Length + 2) / 3)].Max();

    private static async Task<double> OneByOneAsync(BenchDatabase database, int sample, CancellationToken cancellationToken)
    {
        var jobs = await database.ReadAsync(
            "SELECT job_id FROM repo_creations WHERE state = 'failed' AND error_code = $1 ORDER BY updated_at LIMIT $2",
            row => row.GetString(0), cancellationToken, Sampled.Code, sample);
        if (jobs.Count < sample)
            throw new CannotRunException("there are too few failures for the sample; ask for a larger --count");
        var options = new PostgreSqlStorageOptions { SchemaName = DatabaseMigration.HangfireSchema, PrepareSchemaIfNecessary = false };
        var client = new BackgroundJobClient(new PostgreSqlStorage(new DataSourceConnectionFactory(database.Source), options));
        var clock = Stopwatch.StartNew();
        foreach (var job in jobs)
        {
            cancellationToken.ThrowIfCancellationRequested();
            client.Requeue(job);
        }

        return jobs.Count / clock.Elapsed.TotalSeconds;
    }

    private static async Task<(int Requeued, TimeSpan Elapsed, string Batches)> RequeueAsync(
        HttpClient http, int count, int batchSize, CancellationToken cancellationToken)
    {
        string[] codes = [.. Enum.GetValues<FailureKind>().Where(kind => kind is not Sampled).Select(kind => kind.Code)];
        // The script counts first; and what starts up with the first request is no part of the rate.
        var preview = await SendAsync(http, new { codes, dryRun = true }, cancellationToken);
        if (preview.GetProperty("remaining").GetInt32() < count)
            throw new CannotRunException("fewer creations match than are to be run again");
        var until = preview.GetProperty("until").GetString();
        var requeued = 0;
        var batches = new List<long>();
        var clock = Stopwatch.StartNew();
        while (requeued < count)
        {
            var began = clock.ElapsedMilliseconds;
            var body = new { codes, until, limit = Math.Min(batchSize, count - requeued), reason = Reason };
            var batch = await SendAsync(http, body, cancellationToken);
            batches.Add(clock.ElapsedMilliseconds - began);
            if (batch.GetProperty("requeued").GetInt32() is 0 || batch.GetProperty("engine").GetString() is not "set-based")
                throw new CannotRunException($"a batch did nothing, or went one by one: {batch}");
            requeued += batch.GetProperty("requeued").GetInt32();
        }

        return (requeued, clock.Elapsed, string.Join(" ", batches));
    }

    private static async Task<JsonElement> SendAsync(HttpClient http, object body, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsJsonAsync("/repo-creations/requeue", body, cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            var text = await answer.Content.ReadAsStringAsync(cancellationToken);
            throw new CannotRunException($"the service answers {(int)answer.StatusCode}: {text}");
        }

        return await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
    }

    /// <summary>Looks at the memory of both sides, MB, until it is told to end.</summary>
    private static async Task<List<(double Service, double Client)>> WatchAsync(ServiceRun service, CancellationToken cancellationToken)
    {
        using var client = Process.GetCurrentProcess();
        List<(double, double)> looks = [];
        using var ticks = new PeriodicTimer(MemoryPoll);
        do
        {
            client.Refresh();
            looks.Add((service.Megabytes, client.WorkingSet64 / 1e6));
        }
        while (await NextAsync(ticks, cancellationToken));
        return looks;
    }

    private static async Task<bool> NextAsync(PeriodicTimer ticks, CancellationToken cancellationToken)
    {
        try
        {
            return await ticks.WaitForNextTickAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>A rate of what was not done is none.</summary>
    private static async Task CheckAsync(BenchDatabase database, int requeued, int sample, CancellationToken cancellationToken)
    {
        var (jobs, creations, audited, locks) = (await database.ReadAsync(
            """
            SELECT (SELECT count(DISTINCT jobid) FROM hangfire.jobqueue WHERE jobid::text IN (SELECT job_id FROM repo_creations)),
                (SELECT count(*) FROM repo_creations c JOIN hangfire.state s ON s.jobid = c.job_id::bigint
                    WHERE s.name = 'Enqueued' AND s.reason = $1),
                (SELECT sum(count) FROM audit_entries WHERE action = 'requeue_bulk'), (SELECT count(*) FROM hangfire.lock)
            """,
            row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)), cancellationToken, Reason))[0];
        if (jobs != requeued + sample || creations != requeued || audited != requeued || locks is not 0)
        {
            throw new CannotRunException(
                $"{requeued} were requeued: {jobs - sample} jobs, {creations} creations, {audited} in the audit, {locks} locks");
        }
    }
}
