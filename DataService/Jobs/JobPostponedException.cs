using Hangfire.States;

namespace DataService.Jobs;

/// <summary>The job has to come back later, through no fault of its own: no attempt is spent, and no worker waits.</summary>
internal sealed class JobPostponedException(DateTime until, string reason) : Exception(reason)
{
    /// <summary>UTC.</summary>
    public DateTime Until => until;
}

/// <summary>Scheduled because it had to wait, and not after a failure. Hangfire cuts its schedule to whole seconds, which must not be too early.</summary>
internal sealed class PostponedState(DateTime until) : ScheduledState(until.AddTicks(TimeSpan.TicksPerSecond - 1));

/// <summary>Enqueued before its time because what it waited for is over; not by a person, who would grant it a full set of attempts.</summary>
internal sealed class WokenState : EnqueuedState;

/// <summary>Deleted because another job has taken its place; not by a person.</summary>
internal sealed class SupersededState : DeletedState;
