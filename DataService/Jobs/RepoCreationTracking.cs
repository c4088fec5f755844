using DataService.Data;
using DataService.Domain;
using Hangfire.States;
using Hangfire.Storage;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <summary>
/// Keeps the creation's row true when a job changes its state without running: re-run or deleted in the dashboard, or failed
/// before its first line. Changes that the job makes itself are saved by the job.
/// </summary>
internal sealed class RepoCreationTracking(IServiceScopeFactory scopes, TimeProvider time) : IApplyStateFilter
{
    private static readonly Failure FailedOutside = new(FailureKind.Internal, null, "The job failed outside its own code; the Hangfire dashboard has the details.");

    private static readonly TimeSpan SchedulerPrecision = TimeSpan.FromSeconds(1);

    public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
        // A new job is tracked by the transaction that adds it, and its row is locked by it.
        if (context.OldStateName is null || context.BackgroundJob.Job is { } job && job.Type != typeof(CreateProjectRepoJob))
            return;
        Action<RepoCreation>? change = context.NewState switch
        {
            // Both are saved by who caused them.
            PostponedState or WokenState => null,
            EnqueuedState when context.OldStateName == ScheduledState.StateName => creation => RerunBeforeItsTime(creation, context.BackgroundJob.Id),
            EnqueuedState when context.OldStateName != ProcessingState.StateName => creation => creation.Rerun(context.BackgroundJob.Id, time.UtcNow),
            ScheduledState scheduled => creation => creation.RetryIfCreating(FailedOutside, scheduled.EnqueueAt, time.UtcNow),
            DeletedState => creation => creation.Abandon(time.UtcNow),
            FailedState => creation => creation.FailIfLive(FailedOutside, time.UtcNow),
            _ => null,
        };
        if (change is not null)
            Save(context.BackgroundJob.Id, change);
    }

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
    }

    /// <summary>Hangfire's scheduler waits for the time, cut to whole seconds; whoever is earlier is a person.</summary>
    private void RerunBeforeItsTime(RepoCreation creation, string jobId)
    {
        if (creation.NextAttemptAt - time.UtcNow > SchedulerPrecision)
            creation.Rerun(jobId, time.UtcNow);
    }

    private void Save(string jobId, Action<RepoCreation> change)
    {
        using var scope = scopes.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<DataServiceDbContext>();
        db.Database.CreateExecutionStrategy().Execute(() =>
        {
            db.ChangeTracker.Clear();
            using var transaction = db.Database.BeginTransaction();
            // A superseded job is none of the row's business any more.
            var creation = db.RepoCreations.FromSql($"SELECT * FROM repo_creations WHERE job_id = {jobId} FOR UPDATE").AsTracking().AsEnumerable().SingleOrDefault();
            if (creation is null)
                return;
            change(creation);
            db.SaveChanges();
            transaction.Commit();
        });
    }
}
