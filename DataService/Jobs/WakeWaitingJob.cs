using DataService.Data;
using DataService.Domain;
using Hangfire;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;

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
            var batch = await db.RepoCreations.AsNoTracking().Where(c => c.WaitsFor == WaitReason.Resume && c.ProjectId > last).OrderBy(c => c.ProjectId)
                .Select(c => new { c.ProjectId, c.JobId }).Take(BatchSize).ToListAsync(cancellationToken);
            if (batch is [])
                return;
            foreach (var waiting in batch)
            {
                cancellationToken.ThrowIfCancellationRequested();
                // One that was woken before, and has not run yet, is left as it is.
                jobs.ChangeState(waiting.JobId!, new WokenState(), ScheduledState.StateName);
            }

            last = batch[^1].ProjectId;
        }
    }
}
