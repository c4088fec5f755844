using DataService.Jobs;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire;

namespace DataService.Tests.Jobs;

/// <summary>What is over is forgotten when it is old, and nothing else is.</summary>
public sealed class RetentionJobTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(5);

    private readonly PostgresCluster _cluster = cluster;

    protected override Dictionary<string, string?> Settings => new()
    {
        ["Retention:Audit"] = "30.00:00:00",
        ["Retention:Timeline"] = "10.00:00:00",
        ["Retention:SucceededJobs"] = "2.00:00:00",
    };

    [Fact]
    public async Task Old_entries_of_the_audit_go_in_batches_and_the_others_stay()
    {
        // More than two batches, and one either side of the limit.
        await Service.QueryAsync<int>(
            """
            INSERT INTO audit_entries (at, actor, origin, action, count)
            SELECT now() - interval '31 days', 'old', 'rest', 'approve', 1 FROM generate_series(1, 2500)
            UNION ALL SELECT now() - interval '29 days', 'young', 'rest', 'approve', 1 FROM generate_series(1, 3)
            """);

        var report = await RunAsync();

        Assert.Equal(new RetentionReport(2_500, 0), report);
        Assert.Equal("young young young", await Service.QueryAsync<string>("SELECT string_agg(actor, ' ') FROM audit_entries"));
        Assert.Equal(new RetentionReport(0, 0), await RunAsync());
    }

    [Theory]
    [InlineData("created", false)]
    [InlineData("skipped", false)]
    [InlineData("failed", true)]
    [InlineData("retrying", true)]
    [InlineData("queued", true)]
    [InlineData("creating", true)]
    public async Task Old_events_go_where_the_creation_is_settled_and_young_ones_stay(string state, bool stays)
    {
        await Service.CreateProjectAsync("Acme");
        await Service.QueryAsync<int>(
            $"""
             INSERT INTO repo_creations (project_id, state, job_id, attempts, retries, run, updated_at) SELECT id, '{state}', '0', 1, 0, 1, now() FROM projects;
             INSERT INTO creation_events (project_id, at, kind, text)
             SELECT id, now() - interval '11 days', 'waiting', 'old' FROM projects UNION ALL SELECT id, now() - interval '9 days', 'waiting', 'young' FROM projects
             """);

        await RunAsync();

        Assert.Equal(stays ? "old young" : "young", await Service.QueryAsync<string>("SELECT string_agg(text, ' ' ORDER BY id) FROM creation_events"));
    }

    [Fact]
    public async Task The_leave_to_delete_ends_with_the_batch()
    {
        await Service.QueryAsync<int>("INSERT INTO audit_entries (at, actor, origin, action, count) VALUES (now(), 'young', 'rest', 'approve', 1)");

        await RunAsync();

        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => Service.QueryAsync<int>("DELETE FROM audit_entries"));
        Assert.Equal(1L, await Service.QueryAsync<long>("SELECT count(*) FROM audit_entries"));
    }

    [Fact]
    public async Task It_runs_every_night()
    {
        await using var service = await RunningService.StartAsync(_cluster, runsRecurringJobs: true);

        await Eventually.ReturnsAsync(
            () => service.QueryAsync<string>("SELECT value FROM hangfire.hash WHERE key = 'recurring-job:retention' AND field = 'Cron'"),
            cron => cron == RetentionJob.Schedule, "the recurring job");
    }

    [Fact]
    public async Task Jobs_that_succeeded_or_were_deleted_are_kept_for_the_configured_time_and_failed_ones_until_somebody_acts()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.PlanLimit, Name = "failed" });
        var succeeded = await SettleAsync("Fine", "created", "Succeeded");
        var failed = await SettleAsync("Failed", "failed", "Failed");

        Assert.Equal(2, (await ExpiryAsync(succeeded))!.Value.TotalDays, Slack.TotalDays);
        Assert.Null(await ExpiryAsync(failed));

        Assert.True(Service.Services.GetRequiredService<IBackgroundJobClient>().Delete(failed));
        Assert.Equal(2, (await ExpiryAsync(failed))!.Value.TotalDays, Slack.TotalDays);
    }

    [Fact]
    public async Task The_probe_of_every_minute_is_forgotten_within_the_hour()
    {
        var probe = Service.Services.GetRequiredService<IBackgroundJobClient>().Enqueue<ProbeTokenJob>(job => job.RunAsync(CancellationToken.None));
        await Service.JobReachesAsync(probe, "Succeeded");

        Assert.Equal(1, (await ExpiryAsync(probe))!.Value.TotalHours, Slack.TotalHours);
    }

    private async Task<string> SettleAsync(string name, string state, string jobState)
    {
        var slug = await Service.CreateProjectAsync(name);
        await Service.ApproveAsync(slug);
        var jobId = (await Service.CreationReachesAsync(slug, state)).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(jobId, jobState);
        return jobId;
    }

    private async Task<TimeSpan?> ExpiryAsync(string jobId) =>
        await Service.QueryAsync<double?>($"SELECT extract(epoch FROM expireat - now())::float8 FROM hangfire.job WHERE id = {jobId}") is { } seconds
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private async Task<RetentionReport> RunAsync()
    {
        await using var scope = Service.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<RetentionJob>().RunAsync(Cancelled);
    }
}
