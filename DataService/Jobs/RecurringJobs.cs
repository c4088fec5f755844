using System.Transactions;
using DataService.Data;
using Hangfire;
using Hangfire.Storage;

namespace DataService.Jobs;

/// <summary>Writes down what runs by itself; all instances say the same. It does not hold up the start: a killed instance may have left Hangfire's lock.</summary>
internal sealed partial class RecurringJobs(IRecurringJobManager recurring, JobsOptions options, TimeProvider time, ILogger<RecurringJobs> logger) : BackgroundService
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        while (!TryWrite())
            await Task.Delay(RetryInterval, time, stoppingToken);
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
        catch (Exception exception) when (exception is DistributedLockTimeoutException or TransactionException || DatabaseOutage.IsCauseOf(exception))
        {
            LogNotWritten(exception);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The recurring jobs could not be written down, and will be")]
    private partial void LogNotWritten(Exception exception);
}
