using DataService.Jobs;
using DataService.Tests.Support;
using Hangfire;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace DataService.Tests.Jobs;

public sealed class RecurringJobsTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task One_that_somebody_has_removed_is_written_down_again_and_the_log_says_so()
    {
        var services = Service.Services;
        var manager = services.GetRequiredService<IRecurringJobManager>();
        var time = new FakeTimeProvider();
        using var recurring = ActivatorUtilities.CreateInstance<RecurringJobs>(services, time);
        await recurring.StartAsync(Cancelled);
        await AreWrittenAsync();
        manager.RemoveIfExists(ProbeTokenJob.RecurringId);

        // Its clock may stand still while it looks, or before.
        await AreWrittenAsync(() => time.Advance(RecurringJobs.LookInterval));

        Assert.Contains(Service.Logs.Events, e => e.MessageTemplate.Text.StartsWith("The recurring job", StringComparison.Ordinal)
            && e.Properties["Id"].ToString().Contains(ProbeTokenJob.RecurringId, StringComparison.Ordinal));
        await recurring.StopAsync(Cancelled);
    }

    [Fact]
    public async Task A_look_that_the_database_refuses_ends_neither_the_watch_nor_with_it_the_service()
    {
        var time = new FakeTimeProvider();
        using var recurring = ActivatorUtilities.CreateInstance<RecurringJobs>(Service.Services, time);
        await recurring.StartAsync(Cancelled);
        await AreWrittenAsync();
        await using (var another = new NpgsqlConnection(Service.ConnectionString))
        {
            await another.OpenAsync(Cancelled);
            await using var transaction = await another.BeginTransactionAsync(Cancelled);
            await ExecuteAsync("LOCK TABLE hangfire.hash IN ACCESS EXCLUSIVE MODE");
            // The look goes on where the clock is advanced, and waits; an administrator cancels it.
            var looking = Task.Run(() => time.Advance(RecurringJobs.LookInterval), Cancelled);
            await Eventually.ReturnsAsync(
                async () =>
                {
                    await ExecuteAsync("SELECT pg_cancel_backend(pid) FROM pg_locks WHERE NOT granted AND relation = 'hangfire.hash'::regclass");
                    return Refused();
                },
                refused => refused is not 0 || recurring.ExecuteTask!.IsCompleted, "the look to be refused");
            await looking;

            async Task ExecuteAsync(string sql)
            {
                await using var command = new NpgsqlCommand(sql, another, transaction);
                await command.ExecuteNonQueryAsync(Cancelled);
            }
        }

        Assert.False(recurring.ExecuteTask!.IsCompleted, $"{recurring.ExecuteTask.Exception}");
        Service.Services.GetRequiredService<IRecurringJobManager>().RemoveIfExists(ProbeTokenJob.RecurringId);
        await AreWrittenAsync(() => time.Advance(RecurringJobs.LookInterval));
        await recurring.StopAsync(Cancelled);

        int Refused() => Service.Logs.Events.Count(e => e is { Exception: PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } }
            && e.MessageTemplate.Text.StartsWith("The recurring jobs could not", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_exception_that_no_job_expects_is_in_the_log_with_the_job()
    {
        var jobId = Service.Services.GetRequiredService<IBackgroundJobClient>().Enqueue(() => BrokenJob.Run());

        await Service.JobReachesAsync(jobId, "Scheduled");

        var line = Assert.Single(Service.Logs.Events, e => e.Exception is not null && e.Properties.TryGetValue("JobId", out var id) && id.ToString().Contains(jobId, StringComparison.Ordinal));
        Assert.Contains(nameof(BrokenJob), line.RenderMessage(null), StringComparison.Ordinal);
        Assert.Contains("not foreseen", line.Exception!.ToString(), StringComparison.Ordinal);
    }

    private Task<long> AreWrittenAsync(Action? before = null) => Eventually.ReturnsAsync(
        () =>
        {
            before?.Invoke();
            return Service.QueryAsync<long>("SELECT count(*) FROM hangfire.set WHERE key = 'recurring-jobs'");
        },
        written => written is 3,
        "the three recurring jobs to be written down");
}

public static class BrokenJob
{
    public static void Run() => throw new InvalidOperationException("not foreseen");
}
