using System.Linq.Expressions;
using System.Transactions;
using DataService.Data;
using Hangfire;
using Hangfire.Common;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Jobs;

/// <summary>
/// One PostgreSQL transaction around changes of entities and the enqueueing of jobs: both are there or neither is. Hangfire writes
/// through the very connection that EF has open, so nothing is prepared and one connection serves a request.
/// </summary>
internal sealed partial class JobTransaction(
    DataServiceDbContext db, IJobFilterProvider filters, IBackgroundJobClient committedJobs, JobSignal signal, ILogger<JobTransaction> logger)
{
    private static readonly TransactionOptions Options = new() { IsolationLevel = IsolationLevel.ReadCommitted, Timeout = TimeSpan.FromSeconds(30) };

    private static readonly PostgreSqlStorageOptions StorageOptions = new()
    {
        SchemaName = DatabaseMigration.HangfireSchema,
        PrepareSchemaIfNecessary = false,
    };

    /// <summary>
    /// Runs the work and commits, or leaves nothing behind. A transient fault of the database runs it again from its start, so it
    /// loads its entities itself.
    /// </summary>
    /// <exception cref="DbUpdateException">A constraint was violated.</exception>
    /// <exception cref="NpgsqlException">The database failed, and went on failing.</exception>
    public async Task<T> ExecuteAsync<T>(Func<EnlistedJobs, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var (result, jobs) = await db.Database.CreateExecutionStrategy().ExecuteAsync(async token =>
        {
            db.ChangeTracker.Clear();
            EnlistedJobs jobs;
            T result;
            using (var scope = new TransactionScope(TransactionScopeOption.RequiresNew, Options, TransactionScopeAsyncFlowOption.Enabled))
            {
                await db.Database.OpenConnectionAsync(token);
                try
                {
                    jobs = Enlist((NpgsqlConnection)db.Database.GetDbConnection());
                    result = await work(jobs, token);
                    await db.SaveChangesAsync(token);
                    scope.Complete();
                }
                finally
                {
                    await db.Database.CloseConnectionAsync();
                }
            }

            return (result, jobs);
        }, cancellationToken);
        if (jobs.HasEnqueued)
            signal.Wake();
        foreach (var superseded in jobs.Superseded)
            Tidy(superseded);
        return result;
    }

    /// <summary>The commit stands, whatever becomes of this: a superseded job that stays finds its work done when it is run.</summary>
    private void Tidy(string superseded)
    {
        try
        {
            committedJobs.ChangeState(superseded, new SupersededState());
        }
        catch (BackgroundJobClientException exception)
        {
            LogNotTidied(exception, superseded);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {JobId} was superseded, and could not be deleted")]
    private partial void LogNotTidied(Exception exception, string jobId);

    private EnlistedJobs Enlist(NpgsqlConnection connection)
    {
        var storage = new PostgreSqlStorage(new ExistingNpgsqlConnectionFactory(connection, StorageOptions), StorageOptions);
        return new EnlistedJobs(storage, new BackgroundJobClient(storage, filters));
    }
}

/// <summary>Hangfire as seen from inside a <see cref="JobTransaction"/>.</summary>
internal sealed class EnlistedJobs(JobStorage storage, IBackgroundJobClient client)
{
    private readonly List<string> _superseded = [];

    /// <summary>Jobs whose place another one has taken; deleted after the commit.</summary>
    public IReadOnlyList<string> Superseded => _superseded;

    /// <summary>Whether there is a job for the workers after the commit.</summary>
    public bool HasEnqueued { get; private set; }

    /// <summary>Adds a fire-and-forget job. No worker sees it before the commit.</summary>
    /// <returns>Hangfire's id of the job.</returns>
    public string Enqueue<TJob>(Expression<Func<TJob, Task>> call)
    {
        HasEnqueued = true;
        return client.Create(Job.FromExpression(call), new TracedState());
    }

    /// <summary>The name of the job's state, such as <see cref="EnqueuedState.StateName"/>; null when there is no such job.</summary>
    public string? StateOf(string jobId)
    {
        using var connection = storage.GetConnection();
        return connection.GetStateData(jobId)?.Name;
    }

    /// <summary>Marks a job whose place another one has taken.</summary>
    public void Supersede(string jobId) => _superseded.Add(jobId);
}
