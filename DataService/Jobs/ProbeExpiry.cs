using Hangfire.States;
using Hangfire.Storage;

namespace DataService.Jobs;

/// <summary>A job that runs every minute and has nothing to tell would bury the succeeded ones that have.</summary>
internal sealed class ProbeExpiry : IApplyStateFilter
{
    private static readonly TimeSpan Retention = TimeSpan.FromHours(1);

    public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
        if (context.NewState is SucceededState && context.BackgroundJob.Job?.Type == typeof(ProbeTokenJob)
            && context.JobExpirationTimeout > Retention)
            context.JobExpirationTimeout = Retention;
    }

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
    }
}
