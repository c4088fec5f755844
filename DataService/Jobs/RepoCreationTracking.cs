using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <summary>
/// Keeps the creation's row true when a job changes its state without running: re-run or deleted in the dashboard, or failed
/// before its first line. Changes that the job makes itself are saved by the job. What a person does with any job in the dashboard
/// is written into the audit.
/// </summary>
internal sealed class RepoCreationTracking(IServiceScopeFactory scopes, Caller caller, AuditTrail audit, TimeProvider time) : IApplyStateFilter
{
    /// <summary>Hangfire's parameter of the jobs that a recurring one has made.</summary>
    private const string RecurringJobId = "RecurringJobId";

    private static readonly Failure FailedOutside = new(FailureKind.Internal, null, "The job failed outside its own code; the Hangfire dashboard has the details.");

    private static readonly TimeSpan SchedulerPrecision = TimeSpan.FromSeconds(1);

    public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
        var (change, action) = (ChangeBy(context), ActionOf(context));
        if (change is not null || action is not null)
            Save(context.BackgroundJob, change, action, context.OldStateName);
    }

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
    }

    private Action<RepoCreation>? ChangeBy(ApplyStateContext context)
    {
        // A new job is tracked by the transaction that adds it, and its row is locked by it.
        if (context.OldStateName is null || context.BackgroundJob.Job is { } job && job.Type != typeof(CreateProjectRepoJob))
            return null;
        return context.NewState switch
        {
            // All are saved by who caused them.
            PostponedState or WokenState or SupersededState => null,
            EnqueuedState when context.OldStateName == ScheduledState.StateName => IsBeforeItsTime(context) ? creation => creation.Rerun(context.BackgroundJob.Id, time.UtcNow) : null,
            EnqueuedState when context.OldStateName != ProcessingState.StateName => creation => creation.Rerun(context.BackgroundJob.Id, time.UtcNow),
            ScheduledState scheduled => creation => creation.RetryIfCreating(FailedOutside, scheduled.EnqueueAt, time.UtcNow),
            DeletedState => creation => creation.Abandon(time.UtcNow),
            FailedState => creation => creation.FailIfLive(FailedOutside, time.UtcNow),
            _ => null,
        };
    }

    /// <summary>What a person has done in the dashboard; null where it was the service, or a request that has an entry of its own.</summary>
    private AuditAction? ActionOf(ApplyStateContext context) => caller.Origin is not AuditOrigin.Dashboard ? null : context switch
    {
        { NewState: WokenState or SupersededState } => null,
        { OldStateName: null } => context.GetJobParameter<string>(RecurringJobId) is null ? null : AuditAction.TriggerJob,
        { NewState: EnqueuedState } => AuditAction.RetryJob,
        { NewState: DeletedState } => AuditAction.DeleteJob,
        _ => null,
    };

    /// <summary>
    /// Hangfire's scheduler waits for the job's time, cut to whole seconds; whoever is earlier is a person. The creation's own time may be
    /// another: a job that waits for the end of another run's lease comes back before the retry that this run has written down.
    /// </summary>
    private bool IsBeforeItsTime(ApplyStateContext context) =>
        context.Connection.GetStateData(context.BackgroundJob.Id) is { } left && left.Name == ScheduledState.StateName
        && left.Data.TryGetValue(nameof(ScheduledState.EnqueueAt), out var at) && JobHelper.DeserializeDateTime(at) - time.UtcNow > SchedulerPrecision;

    private void Save(BackgroundJob job, Action<RepoCreation>? change, AuditAction? action, string? oldState)
    {
        using var scope = scopes.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<DataServiceDbContext>();
        db.Database.CreateExecutionStrategy().Execute(() =>
        {
            db.ChangeTracker.Clear();
            using var transaction = db.Database.BeginTransaction();
            if (action is { } done)
                Record(db, job, done, oldState);
            // A superseded job is none of the row's business any more.
            if (change is not null && Lock(db, job.Id) is { } creation)
                change(creation);
            db.SaveChanges();
            transaction.Commit();
        });
    }

    private static RepoCreation? Lock(DataServiceDbContext db, string jobId) =>
        db.RepoCreations.FromSql($"SELECT * FROM repo_creations WHERE job_id = {jobId} FOR UPDATE").AsTracking().AsEnumerable().SingleOrDefault();

    private void Record(DataServiceDbContext db, BackgroundJob job, AuditAction action, string? oldState)
    {
        Guid? projectId = job.Job?.Args is [Guid id, ..] ? id : null;
        var slug = projectId is null ? null : db.Projects.Where(p => p.Id == projectId).Select(p => p.Slug).SingleOrDefault();
        var before = oldState is null ? "" : $", which was {oldState.ToLowerInvariant()}";
        var detail = $"job {job.Id} ({job.Job?.Type.Name ?? "of an unknown type"}){before}";
        audit.Record(db, action, projectId, slug, count: 1, reason: null, detail);
    }
}
