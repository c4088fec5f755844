using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using Hangfire;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <summary>The recurring round of the <see cref="Reconciliation"/>. The dashboard shows its report as the job's result.</summary>
internal sealed class ReconcileJob(Reconciliation reconciliation)
{
    public const string RecurringId = "reconcile";

    /// <summary>Every quarter of an hour: what is found is mended in the next round, so within half an hour.</summary>
    public const string Schedule = "*/15 * * * *";

    /// <param name="mode">From the settings.</param>
    /// <param name="cancellationToken">Filled in by Hangfire.</param>
    public async Task<ReconciliationReport> RunAsync(ReconciliationMode mode, CancellationToken cancellationToken)
    {
        try
        {
            return await reconciliation.RunAsync(mode, cancellationToken);
        }
        finally
        {
            // The pages of a long list are megabytes of text, for which the collector by itself keeps room until the next round.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        }
    }
}

/// <summary>
/// After a change of the token, lets one of the waiting jobs try it at once. Without waiting jobs there is nothing to do: the next
/// approval's job tries it. Where nothing is paused it wakes whoever waits for the end of a pause all the same: a process that died right after the end
/// has woken nobody, and a job that had read the pause before may have begun to wait after it.
/// </summary>
internal sealed class ProbeTokenJob(DataServiceDbContext db, GitHubOptions gitHub, WakeWaitingJob wake, IBackgroundJobClient jobs, TimeProvider time)
{
    public const string RecurringId = "probe-token";

    public const string Schedule = "* * * * *";

    /// <param name="cancellationToken">Filled in by Hangfire.</param>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var pause = await db.CreationPauses.AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        if (pause is null)
            await wake.RunAsync(cancellationToken);
        if (gitHub.Token is null || pause?.MayProbe(gitHub.Credential, time.UtcNow) is not true)
            return;
        var waiting = await db.RepoCreations.AsNoTracking().Where(c => c.WaitsFor == WaitReason.Resume).OrderBy(c => c.UpdatedAt).Select(c => c.JobId).FirstOrDefaultAsync(cancellationToken);
        if (waiting is not null)
            jobs.ChangeState(waiting, new WokenState(), ScheduledState.StateName);
    }
}
