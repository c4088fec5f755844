using DataService.Data;
using DataService.Domain;
using DataService.Jobs.Dashboard;
using DataService.Jobs.Requeue;
using Hangfire;
using Hangfire.AspNetCore;
using Hangfire.Common;
using Hangfire.PostgreSql;
using Npgsql;

namespace DataService.Jobs;

internal static class JobsSetup
{
    /// <summary>What a running job has to come to its end after SIGTERM; above a call to GitHub, below the host's own limit.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(22);

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
        services.AddSingleton<RepoCreationQueue>();
        services.AddSingleton<HangfireTables>();
        services.AddHostedService<HangfireTablesCheck>();
        services.AddScoped<JobTransaction>();
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
        services.AddSingleton<JobStorage>(provider => Storage(provider.GetRequiredService<NpgsqlDataSource>(), retention.SucceededJobs));
        services.AddSingleton<JobActivator>(provider => new AspNetCoreJobActivator(provider.GetRequiredService<IServiceScopeFactory>()));
        services.AddSingleton<IJobFilterProvider, JobFilters>();
        services.AddHangfire(configuration => configuration
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings());
        services.AddHangfireServer(server =>
        {
            server.WorkerCount = options.Workers;
            server.SchedulePollingInterval = TimeSpan.FromSeconds(1);
            server.StopTimeout = StopTimeout;
            server.ShutdownTimeout = StopTimeout + TimeSpan.FromSeconds(3);
            server.HeartbeatInterval = TimeSpan.FromSeconds(10);
            server.ServerTimeout = TimeSpan.FromMinutes(1);
            server.ServerCheckInterval = TimeSpan.FromSeconds(30);
        });
        services.AddHostedService<RecurringJobs>();
        services.AddHostedService<AbandonedJobs>();
        builder.AddDashboard();
    }

    /// <summary>The figures behind the choices are a killed worker's: its job and its locks are free again within these times.</summary>
    private static PostgreSqlStorage Storage(NpgsqlDataSource dataSource, TimeSpan jobExpiration) => new(new DataSourceConnectionFactory(dataSource), new PostgreSqlStorageOptions
    {
        SchemaName = DatabaseMigration.HangfireSchema,
        PrepareSchemaIfNecessary = false,
        UseSlidingInvisibilityTimeout = true,
        InvisibilityTimeout = AbandonedJobs.SilenceLimit,
        DistributedLockTimeout = HangfireTables.LockTimeout,
        QueuePollInterval = TimeSpan.FromMilliseconds(500),
        // Loses jobs now and then, and halves the rate of commits.
        EnableLongPolling = false,
    })
    {
        JobExpirationTimeout = jobExpiration,
    };
}
