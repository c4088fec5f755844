using DataService.Data;
using DataService.Domain;
using DataService.Jobs.Dashboard;
using DataService.Jobs.Dispatch;
using DataService.Jobs.Requeue;
using Hangfire;
using Hangfire.AspNetCore;
using Hangfire.Client;
using Hangfire.Common;
using Hangfire.PostgreSql;
using Hangfire.Server;
using Hangfire.States;
using Npgsql;

namespace DataService.Jobs;

internal static class JobsSetup
{
    /// <summary>What a running job has to come to its end after SIGTERM; above a call to GitHub, below the host's own limit.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(22);

    /// <summary>How often Hangfire's schedulers look by themselves. The dispatcher has them look when something is due.</summary>
    private static readonly TimeSpan UnaskedScheduling = TimeSpan.FromMinutes(5);

    /// <summary>Adds Hangfire: storage, this instance's workers, and the dashboard's services.</summary>
    /// <exception cref="ConfigurationException">A Jobs__* or Retention__* variable does not fit.</exception>
    public static void AddJobs(this WebApplicationBuilder builder)
    {
        var options = JobsOptions.From(builder.Configuration);
        var services = builder.Services;
        services.AddSingleton(options);
        var retention = RetentionOptions.From(builder.Configuration);
        services.AddSingleton(retention);
        services.AddSingleton(new RetryPolicy(options.FirstRetryDelay));
        services.AddSingleton<RetryFilter>();
        services.AddSingleton<RepoCreationTracking>();
        services.AddSingleton<JobTraceFilter>();
        services.AddSingleton<CreationMetrics>();
        services.AddSingleton<RepoCreationQueue>();
        services.AddSingleton<HangfireTables>();
        services.AddHostedService<HangfireTablesCheck>();
        services.AddSingleton<JobSignal>();
        services.AddScoped<JobTransaction>();
        services.AddScoped<ProjectRepository>();
        services.AddScoped<CreationSearch>();
        services.AddScoped<OneByOneRequeue>();
        services.AddScoped<RequeueEngine>();
        services.AddSingleton<CreationGate>();
        services.AddSingleton<RunLease>();
        services.AddScoped<CreateProjectRepoJob>();
        services.AddScoped<WakeWaitingJob>();
        services.AddScoped<ProbeTokenJob>();
        services.AddScoped<CreationControl>();
        services.AddScoped<Reconciliation>();
        services.AddScoped<ReconcileJob>();
        services.AddScoped<RetentionJob>();
        services.AddScoped<TaskPush>();
        services.AddScoped<PushTasksJob>();

        // Registered before AddHangfire, which would fall back on statics that all hosts of a process share.
        services.AddSingleton<JobStorage>(provider => Storage(
            provider.GetRequiredService<NpgsqlDataSource>(),
            provider.GetRequiredService<JobDispatcher>(),
            provider.GetRequiredService<JobSignal>(),
            retention.SucceededJobs));
        services.AddSingleton<JobActivator>(provider => new AspNetCoreJobActivator(provider.GetRequiredService<IServiceScopeFactory>()));
        services.AddSingleton<IJobFilterProvider, JobFilters>();
        services.AddHangfire(configuration => configuration
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings());
        services.AddDispatcher();
        services.AddHangfireServer(server =>
        {
            server.WorkerCount = options.Workers;
            server.SchedulePollingInterval = UnaskedScheduling;
            server.StopTimeout = StopTimeout;
            server.ShutdownTimeout = StopTimeout + TimeSpan.FromSeconds(3);
            server.HeartbeatInterval = TimeSpan.FromSeconds(10);
            server.ServerTimeout = TimeSpan.FromMinutes(1);
            server.ServerCheckInterval = TimeSpan.FromSeconds(30);
        });
        services.AddHostedService<RecurringJobs>();
        services.AddHostedService<SharedFigures>();
        builder.AddDashboard();
    }

    /// <summary>
    /// Serves the workers from one place, and runs Hangfire's schedulers when they are needed. Hosted services are stopped in reverse: the
    /// dispatcher has to outlive the workers.
    /// </summary>
    private static void AddDispatcher(this IServiceCollection services)
    {
        services.AddSingleton<JobDispatcher>();
        services.AddHostedService(provider => provider.GetRequiredService<JobDispatcher>());
        services.AddSingleton<IBackgroundProcess>(provider => new DueProcess(
            provider.GetRequiredService<JobDispatcher>().ScheduleIsDue,
            new DelayedJobScheduler(TimeSpan.Zero, new BackgroundJobStateChanger(provider.GetRequiredService<IJobFilterProvider>()))));
        services.AddSingleton<IBackgroundProcess>(provider => new DueProcess(
            provider.GetRequiredService<JobDispatcher>().RecurringIsDue,
            new RecurringJobScheduler(
                new BackgroundJobFactory(provider.GetRequiredService<IJobFilterProvider>()),
                JobDispatcher.Interval,
                provider.GetRequiredService<ITimeZoneResolver>())));
    }

    /// <summary>The figures behind the choices are a killed worker's: its job and its locks are free again within these times.</summary>
    internal static PostgreSqlStorage Storage(
        NpgsqlDataSource dataSource, JobDispatcher dispatcher, JobSignal signal, TimeSpan jobExpiration)
    {
        var storage = new PostgreSqlStorage(new DataSourceConnectionFactory(dataSource), new PostgreSqlStorageOptions
        {
            SchemaName = DatabaseMigration.HangfireSchema,
            PrepareSchemaIfNecessary = false,
            UseSlidingInvisibilityTimeout = true,
            InvisibilityTimeout = JobDispatcher.SilenceLimit,
            DistributedLockTimeout = HangfireTables.LockTimeout,
            // Of Hangfire's own queue, which serves where the dispatcher does not know the tables.
            QueuePollInterval = TimeSpan.FromMilliseconds(500),
            // Loses jobs now and then, and halves the rate of commits.
            EnableLongPolling = false,
        })
        {
            JobExpirationTimeout = jobExpiration,
        };
        var queue = new DispatchedQueue(storage.QueueProviders.GetProvider(JobDispatcher.Queue), dispatcher, signal);
        storage.QueueProviders.Add(queue, [JobDispatcher.Queue]);
        return storage;
    }
}
