using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DataService.Domain;
using DataService.Jobs;
using DataService.Jobs.Requeue;
using DataService.Tests.Support;
using Hangfire;
using Hangfire.States;
using Npgsql;

namespace DataService.Tests.Jobs.Requeue;

/// <summary>What the engine writes with SQL of its own, beside what Hangfire writes: every column of every table.</summary>
public sealed class HangfireTablesTests(PostgresCluster cluster)
{
    private const string Reason = "The token was renewed.";

    /// <summary>Of Hangfire.PostgreSql 1.21.1. A new version that changes them is to be read before <see cref="HangfireTables.KnownVersion"/> is raised.</summary>
    private static readonly string[] KnownColumns =
    [
        "aggregatedcounter.expireat timestamp with time zone null",
        "aggregatedcounter.id bigint",
        "aggregatedcounter.key text",
        "aggregatedcounter.value bigint",
        "counter.expireat timestamp with time zone null",
        "counter.id bigint",
        "counter.key text",
        "counter.value bigint",
        "hash.expireat timestamp with time zone null",
        "hash.field text",
        "hash.id bigint",
        "hash.key text",
        "hash.updatecount integer",
        "hash.value text null",
        "job.arguments jsonb",
        "job.createdat timestamp with time zone",
        "job.expireat timestamp with time zone null",
        "job.id bigint",
        "job.invocationdata jsonb",
        "job.stateid bigint null",
        "job.statename text null",
        "job.updatecount integer",
        "jobparameter.id bigint",
        "jobparameter.jobid bigint",
        "jobparameter.name text",
        "jobparameter.updatecount integer",
        "jobparameter.value text null",
        "jobqueue.fetchedat timestamp with time zone null",
        "jobqueue.id bigint",
        "jobqueue.jobid bigint",
        "jobqueue.queue text",
        "jobqueue.updatecount integer",
        "list.expireat timestamp with time zone null",
        "list.id bigint",
        "list.key text",
        "list.updatecount integer",
        "list.value text null",
        "lock.acquired timestamp with time zone null",
        "lock.resource text",
        "lock.updatecount integer",
        "schema.version integer",
        "server.data jsonb null",
        "server.id text",
        "server.lastheartbeat timestamp with time zone",
        "server.updatecount integer",
        "set.expireat timestamp with time zone null",
        "set.id bigint",
        "set.key text",
        "set.score double precision",
        "set.updatecount integer",
        "set.value text",
        "state.createdat timestamp with time zone",
        "state.data jsonb null",
        "state.id bigint",
        "state.jobid bigint",
        "state.name text",
        "state.reason text null",
        "state.updatecount integer",
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_schema_that_Hangfire_installs_is_the_known_one()
    {
        var database = await cluster.CreateDatabaseAsync();

        Assert.Equal(HangfireTables.KnownVersion, await PostgresCluster.QueryAsync<int>(database, "SELECT max(version) FROM hangfire.schema"));
        var columns = await PostgresCluster.QueryAsync<string[]>(
            database,
            """
            SELECT array_agg(table_name || '.' || column_name || ' ' || data_type || CASE WHEN is_nullable = 'YES' THEN ' null' ELSE '' END ORDER BY table_name, column_name)
            FROM information_schema.columns WHERE table_schema = 'hangfire'
            """);
        Assert.Equal(KnownColumns, columns!);
        Assert.Equal(0L, await PostgresCluster.QueryAsync<long>(database, "SELECT count(*) FROM information_schema.triggers WHERE trigger_schema = 'hangfire'"));
    }

    [Theory]
    [InlineData("Failed", 0)]
    [InlineData("Failed", 3)]
    [InlineData("Deleted", 0)]
    [InlineData("Scheduled", 1)]
    public async Task A_requeued_job_leaves_the_rows_that_Hangfires_own_Requeue_leaves(string state, int retries)
    {
        var byHangfire = await DumpAfterAsync(state, retries, (service, jobId) =>
        {
            service.Services.GetRequiredService<IBackgroundJobClient>().ChangeState(jobId, new EnqueuedState { Reason = Reason }, state);
            return Task.CompletedTask;
        });
        var byEngine = await DumpAfterAsync(state, retries, RequeueAsync);

        Assert.Contains(byHangfire, row => row.StartsWith("state", StringComparison.Ordinal) && row.Contains(Reason, StringComparison.Ordinal));
        Assert.Contains(byHangfire, row => row.StartsWith("jobqueue", StringComparison.Ordinal));
        Assert.Equal(byHangfire, byEngine);
    }

    [Fact]
    public async Task A_new_job_has_the_rows_that_Hangfires_own_Enqueue_writes()
    {
        var byHangfire = await DumpAfterAsync("gone", 0, async (service, _) =>
        {
            var id = await service.QueryAsync<Guid>("SELECT id FROM projects");
            service.Services.GetRequiredService<IBackgroundJobClient>().Enqueue<CreateProjectRepoJob>(job => job.RunAsync(id, null!, CancellationToken.None));
        }, compareCreation: false);
        var byEngine = await DumpAfterAsync("gone", 0, async (service, _) => await EngineAsync(service, engine => engine.RequeueAsync(new CreationFilter(), 10, null, false, Cancelled)), compareCreation: false);

        Assert.Contains(byHangfire, row => row.StartsWith("jobqueue", StringComparison.Ordinal));
        Assert.Equal(byHangfire, byEngine);
    }

    [Fact]
    public async Task No_other_file_holds_SQL_over_Hangfires_tables()
    {
        var folder = Path.Combine(Repository.Root, "DataService");
        string[] tables = [.. KnownColumns.Select(column => column.Split('.')[0]).Distinct()];
        var files = Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(folder, file).StartsWith("obj", StringComparison.Ordinal) && !Path.GetRelativePath(folder, file).StartsWith("bin", StringComparison.Ordinal));

        var holders = new List<string>();
        foreach (var file in files)
        {
            var text = await File.ReadAllTextAsync(file, Cancelled);
            if (tables.Any(table => text.Contains($" hangfire.{table}", StringComparison.Ordinal)))
                holders.Add(Path.GetFileName(file));
        }

        Assert.Equal(["HangfireTables.cs"], holders);
    }

    private static Task RequeueAsync(RunningService service, string jobId) => EngineAsync(service, async engine =>
    {
        var batch = await engine.RequeueAsync(new CreationFilter { States = CreationFilter.Requeueable }, 10, Reason, false, Cancelled);
        Assert.Equal((RequeueEngineKind.SetBased, jobId), (batch.Engine, Assert.Single(batch.Requeued).JobId));
        return batch;
    });

    private static async Task<RequeueBatch> EngineAsync(RunningService service, Func<RequeueEngine, Task<RequeueBatch>> use)
    {
        await using var scope = service.Services.CreateAsyncScope();
        return await use(scope.ServiceProvider.GetRequiredService<RequeueEngine>());
    }

    /// <summary>Brings a job into a state through Hangfire, does something about it, and shows all rows: without what differs from run to run.</summary>
    private async Task<IReadOnlyList<string>> DumpAfterAsync(string state, int retries, Func<RunningService, string, Task> act, bool compareCreation = true)
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        var slug = await service.CreateProjectAsync("Acme");
        var jobId = (await service.ApproveAsync(slug)).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        var jobs = service.Services.GetRequiredService<IBackgroundJobClient>();
        var failure = new Failure(FailureKind.GitHubUnavailable, 502, "Bad gateway");
        var later = DateTime.UtcNow.AddHours(1);
        for (var retry = 0; retry < retries; retry++)
            jobs.ChangeState(jobId, new FailedState(new JobFailedException(slug, failure, later)));
        switch (state)
        {
            case "Failed":
                jobs.ChangeState(jobId, new FailedState(new JobFailedException(slug, failure, null)));
                break;
            case "Deleted":
                jobs.Delete(jobId);
                break;
            case "Scheduled":
                await service.QueryAsync<object>($"UPDATE repo_creations SET state = 'retrying', retries = 1, error_code = 'GITHUB_UNAVAILABLE', next_attempt_at = now() + interval '1 hour'");
                break;
            case "gone":
                jobs.Delete(jobId);
                await service.QueryAsync<object>("DELETE FROM hangfire.job");
                break;
        }

        if (state is not "gone")
            Assert.Equal(state, await service.QueryAsync<string>("SELECT statename FROM hangfire.job"));
        var begun = DateTime.UtcNow;

        await act(service, jobId);

        Assert.Equal(
            await service.QueryAsync<long>("SELECT count(*) FROM hangfire.job"),
            await service.QueryAsync<long>("SELECT count(*) FROM hangfire.job j JOIN hangfire.state s ON s.id = j.stateid AND s.jobid = j.id AND s.name = j.statename"));
        var projectId = (await service.QueryAsync<Guid>("SELECT id FROM projects")).ToString();
        var tables = KnownColumns.Select(column => column.Split('.')[0]).Distinct().Select(table => $"hangfire.{table}");
        var rows = new List<string>();
        foreach (var table in compareCreation ? tables.Append("repo_creations") : tables)
        {
            await using var connection = new NpgsqlConnection(service.ConnectionString);
            await connection.OpenAsync(Cancelled);
            await using var command = new NpgsqlCommand($"SELECT to_jsonb(t) FROM {table} t", connection);
            await using var reader = await command.ExecuteReaderAsync(Cancelled);
            while (await reader.ReadAsync(Cancelled))
                rows.Add($"{table.Split('.')[^1]} {Normal(JsonNode.Parse(reader.GetString(0))!.AsObject(), begun).ToJsonString().Replace(projectId, "PROJECT", StringComparison.Ordinal)}");
        }

        return [.. rows.Order(StringComparer.Ordinal)];
    }

    /// <summary>Ids and times give way to words, after a look at whether they make sense.</summary>
    private static JsonObject Normal(JsonObject row, DateTime begun)
    {
        foreach (var (name, value) in row.ToList())
        {
            if (name is "id" or "stateid" && value is not null)
            {
                Assert.True(value.GetValue<long>() > 0);
                row[name] = "ID";
            }
            else if (value is JsonValue && value.GetValueKind() is JsonValueKind.String && DateTimeOffset.TryParse(value.GetValue<string>(), CultureInfo.InvariantCulture, out var at) && name.EndsWith("at", StringComparison.Ordinal))
            {
                Assert.InRange(at.UtcDateTime, begun.AddMinutes(-5), begun.AddDays(40));
                row[name] = "TIME";
            }
            else if (name is "data" && value is JsonObject data)
            {
                foreach (var (key, text) in data.ToList().Where(member => member.Key.EndsWith("At", StringComparison.Ordinal)))
                {
                    Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(text!.GetValue<string>(), CultureInfo.InvariantCulture)).UtcDateTime, begun.AddMinutes(-5), begun.AddHours(2));
                    data[key] = "TIME";
                }

                // The trace of the request that approved, if it was one: its own tests look at it.
                if (data.Remove(JobTrace.Parent, out var trace))
                    Assert.True(ActivityContext.TryParse(trace!.GetValue<string>(), null, out _));
            }
        }

        return row;
    }
}
