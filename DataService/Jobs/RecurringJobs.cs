using System.Transactions;
using DataService.Data;
using Hangfire;
using Hangfire.Storage;
using Npgsql;

namespace DataService.Jobs;

/// <summary>
/// Writes down what runs by itself, and again where somebody has removed it; all instances say the same. It does not hold up the start: a killed
/// instance may have left Hangfire's lock.
/// </summary>
internal sealed partial class RecurringJobs(IRecurringJobManager recurring, JobStorage storage, JobsOptions options, TimeProvider time, ILogger<RecurringJobs> logger) : BackgroundService
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);

    /// <summary>How often it looks whether all are still there.</summary>
    internal static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!TryWrite())
            await Task.Delay(RetryInterval, time, stoppingToken);
        using var looks = new PeriodicTimer(LookInterval, time);
        while (await looks.WaitForNextTickAsync(stoppingToken))
            TryRestore();
    }

    private void TryRestore()
    {
        try
        {
            using var connection = storage.GetConnection();
            string?[] wanted = [ProbeTokenJob.RecurringId, RetentionJob.RecurringId, options.Reconciliation is null ? null : ReconcileJob.RecurringId];
            var removed = wanted.OfType<string>().Where(id => connection.GetAllEntriesFromHash($"recurring-job:{id}") is null).ToList();
            removed.ForEach(LogRemoved);
            if (removed is not [])
                TryWrite();
        }
        catch (Exception exception) when (GoesBy(exception))
        {
            LogNotWritten(exception);
        }
    }

    private bool TryWrite()
    {
        try
        {
            recurring.AddOrUpdate<ProbeTokenJob>(ProbeTokenJob.RecurringId, job => job.RunAsync(CancellationToken.None), ProbeTokenJob.Schedule);
            recurring.AddOrUpdate<RetentionJob>(RetentionJob.RecurringId, job => job.RunAsync(CancellationToken.None), RetentionJob.Schedule);
            if (options.Reconciliation is { } mode)
                recurring.AddOrUpdate<ReconcileJob>(ReconcileJob.RecurringId, job => job.RunAsync(mode, CancellationToken.None), ReconcileJob.Schedule);
            else
                recurring.RemoveIfExists(ReconcileJob.RecurringId);
            return true;
        }
        catch (Exception exception) when (GoesBy(exception))
        {
            LogNotWritten(exception);
            return false;
        }
    }

    /// <summary>Whatever the database says: a refused login or a cancelled statement would else end the whole instance.</summary>
    private static bool GoesBy(Exception exception) =>
        exception is NpgsqlException or DistributedLockTimeoutException or TransactionException || DatabaseOutage.IsCauseOf(exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The recurring job {Id} was removed, and is written down again: the service needs it")]
    private partial void LogRemoved(string id);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The recurring jobs could not be written down, and will be")]
    private partial void LogNotWritten(Exception exception);
}
