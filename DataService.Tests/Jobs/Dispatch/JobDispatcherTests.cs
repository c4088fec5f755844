using System.Collections.Concurrent;
using System.Globalization;
using DataService.Jobs;
using DataService.Jobs.Dispatch;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;
using Serilog.Events;

namespace DataService.Tests.Jobs.Dispatch;

/// <summary>Who gets which job, on a real queue: several instances at once, dying workers, a database that goes away.</summary>
public sealed class JobDispatcherTests(PostgresCluster cluster) : IAsyncLifetime
{
    private string _database = "";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await cluster.CreateDatabaseAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Of_ten_thousand_jobs_that_four_instances_compete_for_each_is_taken_once_and_none_stays_behind()
    {
        const int Rounds = 4, Jobs = 2_500, Workers = 5;
        var instances = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Dispatch.StartAsync(_database)));
        var taken = new ConcurrentBag<string>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var workers = instances.SelectMany(instance => Enumerable.Range(0, Workers).Select(_ => Task.Factory.StartNew(
            () => Work(instance, taken, end.Token), Cancelled, TaskCreationOptions.LongRunning, TaskScheduler.Default))).ToList();

        for (var round = 1; round <= Rounds; round++)
        {
            // In parts, so that the workers run out of jobs again and again.
            for (var part = 0; part < 10; part++)
            {
                await AddAsync((round - 1) * Jobs + part * Jobs / 10 + 1, Jobs / 10);
                instances[part % 4].Wake();
            }

            var expected = round * Jobs;
            await Eventually.ReturnsAsync(() => Task.FromResult(taken.Count), count => count >= expected, $"{expected} jobs to be taken");
        }

        await Eventually.ReturnsAsync(CountAsync, left => left is 0, "an empty queue");
        await end.CancelAsync();
        await Task.WhenAll(workers);
        Assert.Equal(Enumerable.Range(1, Rounds * Jobs), taken.Select(id => int.Parse(id, CultureInfo.InvariantCulture)).Order());
        foreach (var instance in instances)
            await instance.DisposeAsync();
    }

    [Fact]
    public async Task Hangfires_own_workers_run_each_job_once()
    {
        const int Jobs = 300;
        await using var first = await Dispatch.StartAsync(_database);
        await using var second = await Dispatch.StartAsync(_database);
        var run = Guid.NewGuid();
        using (new BackgroundJobServer(new BackgroundJobServerOptions { WorkerCount = 5, Activator = new JobActivator() }, first.Storage))
        using (new BackgroundJobServer(new BackgroundJobServerOptions { WorkerCount = 5, Activator = new JobActivator() }, second.Storage))
        {
            for (var number = 0; number < Jobs; number++)
            {
                var name = $"{run} {number}";
                first.Client.Enqueue(() => CountedJob.Run(name));
            }

            await Eventually.ReturnsAsync(
                () => QueryAsync<long>("SELECT count(*) FROM hangfire.job WHERE statename = 'Succeeded'"),
                succeeded => succeeded is Jobs,
                "all jobs to succeed");
        }

        Assert.All(Enumerable.Range(0, Jobs), number => Assert.Equal(1, CountedJob.RunsOf($"{run} {number}")));
        Assert.Equal(0L, await CountAsync());
    }

    [Fact]
    public async Task Jobs_are_taken_in_their_order_and_those_of_dead_workers_before_them()
    {
        await AddAsync(1, 6);
        await QueryAsync<object>("UPDATE hangfire.jobqueue SET fetchedat = now() - interval '1 minute' * jobid WHERE jobid IN (4, 5)");
        await using var instance = await Dispatch.StartAsync(_database);

        List<string> order = [];
        for (var i = 0; i < 6; i++)
        {
            var job = await instance.TakeAsync();
            order.Add(job.JobId);
            job.RemoveFromQueue();
            job.Dispose();
        }

        Assert.Equal(["5", "4", "1", "2", "3", "6"], order);
    }

    [Fact]
    public async Task What_was_fetched_for_a_worker_that_stops_meanwhile_is_handed_back_at_once()
    {
        const int Jobs = 300;
        await using var instance = await Dispatch.StartAsync(_database);
        var taken = new ConcurrentBag<string>();

        for (var number = 1; number <= Jobs; number++)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
            var waiting = instance.TakeUntilAsync(stop.Token);
            await AddAsync(number, 1);
            instance.Wake();
            // Sometimes before the look, sometimes in its middle, sometimes behind it.
            if (number % 3 is not 0)
                await Task.WhenAny(waiting, ElapseAsync(TimeSpan.FromMilliseconds(number % 5 * 0.5)));
            await stop.CancelAsync();
            try
            {
                var job = await waiting;
                taken.Add(job.JobId);
                job.RemoveFromQueue();
                job.Dispose();
            }
            catch (OperationCanceledException)
            {
                // The next one takes it.
            }
        }

        // None is left to the silence of a worker that never had it.
        await Eventually.ReturnsAsync(
            () => QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue WHERE fetchedat IS NOT NULL"),
            fetched => fetched is 0,
            "nothing to be held",
            JobDispatcher.SilenceLimit / 2);
        Assert.NotEmpty(taken);
        Assert.Equal(Jobs - taken.Count, await CountAsync());
        Assert.Equal(taken.Count, taken.Distinct().Count());
    }

    [Fact]
    public async Task A_job_that_is_handed_back_is_taken_again_at_once_by_whom_it_is_offered_first()
    {
        await AddAsync(1, 1);
        await using var instance = await Dispatch.StartAsync(_database);
        var job = await instance.TakeAsync();
        job.Requeue();
        job.Dispose();

        Assert.Equal("1", (await instance.TakeAsync()).JobId);
    }

    [Fact]
    public async Task A_long_job_stays_with_its_worker_and_a_dead_workers_job_goes_to_another_one()
    {
        await AddAsync(1, 2);
        await using var first = await Dispatch.StartAsync(_database);
        await using var second = await Dispatch.StartAsync(_database);
        var (one, two) = (await first.TakeAsync(), await second.TakeAsync());
        var begun = await QueryAsync<DateTime>("SELECT max(fetchedat) FROM hangfire.jobqueue");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var waiting = first.TakeUntilAsync(stop.Token);

        // Both are shown to be alive for longer than a silence may last.
        await Eventually.ReturnsAsync(
            () => QueryAsync<DateTime>("SELECT min(fetchedat) FROM hangfire.jobqueue"),
            seen => seen - begun > JobDispatcher.SilenceLimit,
            "signs of life");
        Assert.False(waiting.IsCompleted);

        await second.StopAsync();
        var silent = await QueryAsync<DateTime>($"SELECT fetchedat FROM hangfire.jobqueue WHERE id = {two.Id}");
        var taken = await waiting;

        Assert.Equal((two.JobId, true), (taken.JobId, taken.IsAbandoned));
        var at = await QueryAsync<DateTime>($"SELECT fetchedat FROM hangfire.jobqueue WHERE id = {two.Id}");
        Assert.True(at - silent >= JobDispatcher.SilenceLimit, $"{at - silent}");
        // It wakes up again, and it is too late.
        two.RemoveFromQueue();
        two.Requeue();
        Assert.Equal(2L, await QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue WHERE fetchedat IS NOT NULL"));
        one.RemoveFromQueue();
        taken.RemoveFromQueue();
        Assert.Equal(0L, await CountAsync());
    }

    [Fact]
    public async Task What_this_instance_enqueues_is_taken_at_once()
    {
        // Nothing but a signal makes a dispatcher look whose clock stands still.
        await using var instance = await Dispatch.StartAsync(_database, new FakeTimeProvider());
        for (var i = 0; i < 20; i++)
        {
            var waiting = instance.TakeAsync();
            var jobId = instance.Client.Enqueue(() => CountedJob.Run("never"));

            var job = await waiting;
            Assert.Equal(jobId, job.JobId);
            job.RemoveFromQueue();
            job.Dispose();
        }
    }

    [Fact]
    public async Task What_was_enqueued_while_all_workers_were_busy_is_taken_as_soon_as_one_is_free()
    {
        // A signal without a free worker is passed over, and the clock brings no other look.
        await using var instance = await Dispatch.StartAsync(_database, new FakeTimeProvider());
        for (var i = 0; i < 20; i++)
        {
            var jobId = instance.Client.Enqueue(() => CountedJob.Run("never"));

            var job = await instance.TakeAsync();

            Assert.Equal(jobId, job.JobId);
            job.RemoveFromQueue();
            job.Dispose();
        }
    }

    [Fact]
    public async Task An_approval_is_worked_on_at_once_by_its_own_instance()
    {
        await using var service = await RunningService.StartAsync(
            _database, replace: services => services.Replace(ServiceDescriptor.Singleton(WithClockThatStandsStill)));
        foreach (var name in (string[])["One", "Two", "Three"])
        {
            var slug = await service.CreateProjectAsync(name);
            await service.ApproveAsync(slug);

            await service.CreationReachesAsync(slug, "created");
        }
    }

    [Fact]
    public async Task A_scheduled_job_and_a_recurring_one_run_when_they_are_due()
    {
        await using var service = await RunningService.StartAsync(_database);
        var recurring = service.Services.GetRequiredService<IRecurringJobManager>();
        var jobs = service.Services.GetRequiredService<IBackgroundJobClient>();
        var scheduled = jobs.Schedule(() => CountedJob.Run("scheduled"), TimeSpan.FromSeconds(2));
        recurring.AddOrUpdate("each-second", () => CountedJob.Run("recurring"), "* * * * * *");

        await service.JobReachesAsync(scheduled, "Succeeded");
        // Each look that finds it due runs it: at the minutes of Hangfire's own schedulers it would be once.
        await Eventually.ReturnsAsync(
            () => Task.FromResult(CountedJob.RunsOf("recurring")), runs => runs >= 3, "three runs of the recurring job");
    }

    [Fact]
    public async Task A_database_that_went_away_is_looked_at_again_every_second()
    {
        await using var instance = await Dispatch.StartAsync(_database);
        var name = new NpgsqlConnectionStringBuilder(_database).Database;
        var waiting = instance.TakeAsync();
        await PostgresCluster.QueryAsync<object>(cluster.ConnectionString, $"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        var sessions = $"FROM pg_stat_activity WHERE datname = '{name}'";
        await PostgresCluster.QueryAsync<object>(cluster.ConnectionString, $"SELECT count(pg_terminate_backend(pid)) {sessions}");
        NpgsqlConnection.ClearAllPools();
        await Eventually.ReturnsAsync(
            () => PostgresCluster.QueryAsync<long>(cluster.ConnectionString, $"SELECT count(*) {sessions}"),
            left => left is 0,
            "no session to be left");
        await PostgresCluster.QueryAsync<object>(cluster.ConnectionString, $"ALTER DATABASE {name} ALLOW_CONNECTIONS true");

        await AddAsync(1, 1);

        Assert.Equal("1", (await waiting).JobId);
    }

    [Fact]
    public async Task Where_the_tables_are_not_the_known_ones_Hangfires_own_queue_serves_and_the_log_says_so()
    {
        await using var service = await RunningService.StartAsync(_database, new() { ["Jobs:FirstRetryDelay"] = "00:00:01" });
        await service.QueryAsync<object>("UPDATE hangfire.schema SET version = 24");
        await Eventually.ReturnsAsync(
            () => Task.FromResult(service.Logs.Events.Count(Says("through Hangfire's own queue"))), said => said is 1, "the log to say so");
        var slug = await service.CreateProjectAsync("Unknown");
        service.Break(new FaultRule { Kind = FaultKind.BadGateway, Method = "POST", Times = 1 });

        await service.ApproveAsync(slug);

        // The retry shows that schedules are looked at, too.
        await service.CreationReachesAsync(slug, "created");
        await Eventually.ReturnsAsync(CountAsync, left => left is 0, "an empty queue");
    }

    private static void Work(Dispatch instance, ConcurrentBag<string> taken, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var job = instance.Dispatcher.Take(cancellationToken)!;
                taken.Add(job.JobId);
                job.RemoveFromQueue();
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static Func<LogEvent, bool> Says(string text) => e => e.RenderMessage(null).Contains(text, StringComparison.Ordinal);

    private static JobDispatcher WithClockThatStandsStill(IServiceProvider provider) => new(
        provider.GetRequiredService<NpgsqlDataSource>(),
        provider.GetRequiredService<JobSignal>(),
        provider.GetRequiredService<CreationMetrics>(),
        new FakeTimeProvider(),
        NullLogger<JobDispatcher>.Instance);

    private static async Task ElapseAsync(TimeSpan time)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(begun) < time)
            await Task.Yield();
    }

    /// <summary>Rows of the queue alone: their numbers are all that counts here.</summary>
    private Task<object?> AddAsync(int first, int count) => QueryAsync<object>(
        $"INSERT INTO hangfire.jobqueue (jobid, queue) SELECT n, 'default' FROM generate_series({first}, {first + count - 1}) n");

    private Task<long> CountAsync() => QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue");

    private Task<T?> QueryAsync<T>(string sql) => PostgresCluster.QueryAsync<T>(_database, sql);
}
