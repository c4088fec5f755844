using System.CommandLine;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using DataService.Benchmarks.Seeding;
using DataService.Data;
using DataService.Domain;
using DataService.Jobs;
using Hangfire;
using Hangfire.PostgreSql;
using Npgsql;

namespace DataService.Benchmarks.Engine;

/// <summary>Re-runs failed creations by a filter as the script does, beside Hangfire's own client on a sample, in one run.</summary>
internal static class RequeueCommand
{
    private const int Bar = 20_000;
    private const int BatchSize = 5_000;
    private const string Reason = "The token was renewed.";

    /// <summary>The sample for the other side is of these, and the filter names all others.</summary>
    private const FailureKind Sampled = FailureKind.GitHubValidation;

    private static readonly TimeSpan MemoryPoll = TimeSpan.FromMilliseconds(50);

    public static Command Create()
    {
        var count = MeasureCommand.Number("--count", "failed creations to run again", 50_000);
        var created = MeasureCommand.Number("--created", "projects beside them that have their repository", 200_000);
        var sample = MeasureCommand.Number("--sample", "jobs for Hangfire's own client", 1_000);
        return MeasureCommand.Create(
            "requeue", "Measures the bulk re-run of failed creations, beside Hangfire's client one by one.", [count, created, sample],
            (arguments, output, error, cancellationToken) =>
                MeasureAsync(arguments.GetValue(count), arguments.GetValue(created), arguments.GetValue(sample), output, error, cancellationToken));
    }

    private static async Task<bool> MeasureAsync(int count, int created, int sample, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        await using var bed = await EngineBed.MakeAsync(cancellationToken);
        // A tenth is of the sampled kind, and a hundredth was deleted.
        var database = await bed.DatabaseAsync("requeue", new SeedOptions { Failed = Math.Max(count, sample * 10) * 5 / 4, Created = created }, error, cancellationToken);
        var oneByOne = await OneByOneAsync(database, sample, cancellationToken);
        await using var service = await ServiceProgram.StartAsync(database, cancellationToken);

        var (before, own) = (service.Memory, ServiceProgram.Megabytes(Environment.ProcessId));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = WatchAsync(service, end.Token);
        var (requeued, elapsed, batches) = await RunAsync(service.Http, count, cancellationToken);
        await end.CancelAsync();
        var (peak, ownPeak) = await watching;

        await CheckAsync(database, requeued, sample, cancellationToken);
        var rate = requeued / elapsed.TotalSeconds;
        await output.WriteLineAsync(MeasureCommand.Text($"one by one, Hangfire's client     {oneByOne,8:0} jobs/s  ({sample} jobs)"));
        await output.WriteLineAsync(MeasureCommand.Text($"in bulk, over REST in batches     {rate,8:0} jobs/s  ({requeued} jobs in {elapsed.TotalSeconds:0.00} s; batches of {BatchSize}: {batches} ms)"));
        await output.WriteLineAsync(MeasureCommand.Text($"ratio                             {rate / oneByOne,8:0.0}"));
        await output.WriteLineAsync(MeasureCommand.Text($"memory of the service, MB         {before,8:0} before, {peak:0} at most, {service.Memory:0} after"));
        await output.WriteLineAsync(MeasureCommand.Text($"memory of the client, MB          {own,8:0} before, {ownPeak:0} at most, {ServiceProgram.Megabytes(Environment.ProcessId):0} after"));
        await output.WriteLineAsync(MeasureCommand.Text($"bar: {Bar} jobs/s                  {(rate >= Bar ? "reached" : "NOT reached")}"));
        return rate >= Bar;
    }

    private static async Task<double> OneByOneAsync(string database, int sample, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("SELECT array_agg(job_id) FROM (SELECT job_id FROM repo_creations WHERE state = 'failed' AND error_code = $1 ORDER BY updated_at LIMIT $2) c");
        command.Parameters.AddWithValue(Sampled.Code);
        command.Parameters.AddWithValue(sample);
        if (await command.ExecuteScalarAsync(cancellationToken) is not string[] jobs || jobs.Length < sample)
            throw new CannotMeasureException("There are too few failures for the sample: ask for a larger --count.");
        var client = new BackgroundJobClient(new PostgreSqlStorage(
            new DataSourceConnectionFactory(source), new PostgreSqlStorageOptions { SchemaName = DatabaseMigration.HangfireSchema, PrepareSchemaIfNecessary = false }));
        var clock = Stopwatch.StartNew();
        foreach (var job in jobs)
        {
            cancellationToken.ThrowIfCancellationRequested();
            client.Requeue(job);
        }

        return jobs.Length / clock.Elapsed.TotalSeconds;
    }

    private static async Task<(int Requeued, TimeSpan Elapsed, string Batches)> RunAsync(HttpClient http, int count, CancellationToken cancellationToken)
    {
        string[] codes = [.. Enum.GetValues<FailureKind>().Where(kind => kind is not Sampled).Select(kind => kind.Code)];
        // The script counts first; and what starts up with the first request is no part of the rate.
        var preview = await SendAsync(http, new { codes, dryRun = true }, cancellationToken);
        if (preview.GetProperty("remaining").GetInt32() < count)
            throw new CannotMeasureException("Fewer creations match than are to be run again.");
        var until = preview.GetProperty("until").GetString();
        var requeued = 0;
        var batches = new List<long>();
        var clock = Stopwatch.StartNew();
        while (requeued < count)
        {
            var began = clock.ElapsedMilliseconds;
            var batch = await SendAsync(http, new { codes, until, limit = Math.Min(BatchSize, count - requeued), reason = Reason }, cancellationToken);
            batches.Add(clock.ElapsedMilliseconds - began);
            if (batch.GetProperty("requeued").GetInt32() is 0 || batch.GetProperty("engine").GetString() is not "set-based")
                throw new CannotMeasureException($"A batch did nothing, or went one by one: {batch}");
            requeued += batch.GetProperty("requeued").GetInt32();
        }

        return (requeued, clock.Elapsed, string.Join(" ", batches));
    }

    private static async Task<JsonElement> SendAsync(HttpClient http, object body, CancellationToken cancellationToken)
    {
        using var answer = await http.PostAsJsonAsync("/repo-creations/requeue", body, cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new CannotMeasureException($"The service answers {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
    }

    private static async Task<(double Service, double Client)> WatchAsync(ServiceProgram service, CancellationToken cancellationToken)
    {
        var (peak, own) = (0.0, 0.0);
        using var ticks = new PeriodicTimer(MemoryPoll);
        do
            (peak, own) = (Math.Max(peak, service.Memory), Math.Max(own, ServiceProgram.Megabytes(Environment.ProcessId)));
        while (!cancellationToken.IsCancellationRequested && await NextAsync(ticks, cancellationToken));
        return (peak, own);
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
    private static async Task CheckAsync(string database, int requeued, int sample, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            """
            SELECT (SELECT count(DISTINCT jobid) FROM hangfire.jobqueue), (SELECT count(*) FROM repo_creations c JOIN hangfire.state s ON s.jobid = c.job_id::bigint WHERE s.name = 'Enqueued' AND s.reason = $1),
                (SELECT sum(count) FROM audit_entries WHERE action = 'requeue_bulk'), (SELECT count(*) FROM hangfire.lock)
            """);
        command.Parameters.AddWithValue(Reason);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        var (jobs, creations, audited, locks) = (rows.GetInt64(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3));
        if (jobs != requeued + sample || creations != requeued || audited != requeued || locks is not 0)
            throw new CannotMeasureException($"{requeued} were requeued, and there are {jobs - sample} jobs, {creations} creations, {audited} in the audit and {locks} locks.");
    }
}
