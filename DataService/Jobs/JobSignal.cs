namespace DataService.Jobs;

/// <summary>
/// Tells this instance's workers that a job was committed to the queue, so that they need not wait for the next look at it. Raised after the
/// commit, by whoever has enqueued. Nothing hangs on it: a job whose signal is lost, or was raised in another process, is found by the look.
/// </summary>
internal sealed class JobSignal
{
    private volatile TaskCompletionSource _raised = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends at the next <see cref="Wake"/>. Taken before the look at the queue, so that a job committed during the look is not missed.</summary>
    public Task Raised => _raised.Task;

    /// <summary>A job is there. Cheap; may be called from everywhere and too often.</summary>
    public void Wake() => Interlocked.Exchange(ref _raised, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
