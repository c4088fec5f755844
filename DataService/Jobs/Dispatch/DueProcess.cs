using Hangfire.Server;

namespace DataService.Jobs.Dispatch;

/// <summary>
/// Runs one of Hangfire's schedulers when there is something for it to do. Left to itself it takes and gives back a lock of the whole
/// database each time it looks, several transactions a second.
/// </summary>
/// <param name="due">Raised when there is.</param>
/// <param name="scheduler">Does all that is due, and returns.</param>
internal sealed class DueProcess(JobSignal due, IBackgroundProcess scheduler) : IBackgroundProcess
{
    public void Execute(BackgroundProcessContext context)
    {
        due.Raised.Wait(context.StoppingToken);
        scheduler.Execute(context);
    }

    /// <summary>For Hangfire's log.</summary>
    public override string ToString() => $"{scheduler} when due";
}
