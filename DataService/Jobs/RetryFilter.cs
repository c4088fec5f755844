using DataService.Data;
using DataService.Domain;
using Hangfire.States;

namespace DataService.Jobs;

/// <summary>Turns a failed attempt into the scheduled next one.</summary>
internal sealed partial class RetryFilter(RetryPolicy policy, TimeProvider time, ILogger<RetryFilter> logger) : IElectStateFilter
{
    /// <summary>Hangfire's own name for it, which its dashboard shows.</summary>
    public const string RetryCount = "RetryCount";

    private static readonly Failure Unexpected = new(FailureKind.Internal, null, "");

    public void OnStateElection(ElectStateContext context)
    {
        switch (context.CandidateState)
        {
            case FailedState { Exception: JobPostponedException postponed }:
                context.CandidateState = new PostponedState(postponed.Until) { Reason = postponed.Message };
                break;

            // The job has decided, saved and shown when it goes on.
            case FailedState { Exception: JobFailedException failed } state:
                if (failed.NextAttemptAt is { } at)
                    Schedule(context, at, failed.Message);
                else
                    state.Reason = failed.Message;
                break;

            // The job could not even save its failure: the database was away, or the code is broken.
            case FailedState { Exception: { } unexpected }:
                LogUnexpected(unexpected, context.BackgroundJob.Id, context.BackgroundJob.Job?.Type.Name);
                if (policy.NextAttempt(Unexpected, context.GetJobParameter<int>(RetryCount), time.UtcNow, Random.Shared.NextDouble()) is { } next)
                    Schedule(context, next, $"an unexpected {unexpected.GetType().Name}");
                break;

            case EnqueuedState when (context.CurrentState == FailedState.StateName || context.CurrentState == DeletedState.StateName)
                && context.GetJobParameter<int>(RetryCount) is not 0:
                context.SetJobParameter(RetryCount, 0);
                break;
        }
    }

    private static void Schedule(ElectStateContext context, DateTime at, string cause)
    {
        context.SetJobParameter(RetryCount, context.GetJobParameter<int>(RetryCount) + 1);
        context.CandidateState = new ScheduledState(at) { Reason = $"Retried by itself after {cause}" };
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {JobId} ({JobType}) failed outside of what it expects")]
    private partial void LogUnexpected(Exception exception, string jobId, string? jobType);
}
