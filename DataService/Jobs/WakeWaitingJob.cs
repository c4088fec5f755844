using DataService.Data;
using Hangfire;
using Hangfire.States;

namespace DataService.Jobs;

/// <summary>Enqueues the jobs that waited for the end of a pause. Those that it misses are woken by <see cref="ProbeTokenJob"/>, within a minute.</summary>
internal sealed class WakeWaitingJob(DataServiceDbContext db, IBackgroundJobClient jobs)
{
    private const int BatchSize = 500;

    /// <param name="cancellationToken">Filled in by Hangfire.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var last = Guid.Empty;
        while (true)
        {
            var batch = await HangfireTables.FindWaitingForResumeAsync(db, last, BatchSize, cancellationToken);
            if (batch is [])
                return;
            foreach (var waiting in batch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                jobs.ChangeState(waiting.JobId, new WokenState(), ScheduledState.StateName);
            }

            last = batch[^1].ProjectId;
        }
    }
}
