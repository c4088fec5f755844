using System.Data;
using System.Transactions;
using Hangfire.PostgreSql;
using Hangfire.Storage;

namespace DataService.Jobs.Dispatch;

/// <summary>
/// Hangfire.PostgreSql's queue, whose workers are served by the <see cref="JobDispatcher"/>. All else, and all where the tables are not the
/// known ones, is left to the original.
/// </summary>
/// <param name="original">Hangfire.PostgreSql's own.</param>
/// <param name="dispatcher">Of this instance.</param>
/// <param name="signal">Raised by each enqueue, after its commit.</param>
internal sealed class DispatchedQueue(IPersistentJobQueueProvider original, JobDispatcher dispatcher, JobSignal signal)
    : IPersistentJobQueueProvider, IPersistentJobQueue, IPersistentJobQueueMonitoringApi
{
    private readonly IPersistentJobQueueMonitoringApi _monitoring = original.GetJobQueueMonitoringApi();

    public IPersistentJobQueue GetJobQueue() => this;

    public IPersistentJobQueueMonitoringApi GetJobQueueMonitoringApi() => this;

    public IFetchedJob Dequeue(string[] queues, CancellationToken cancellationToken) =>
        dispatcher.Take(cancellationToken) ?? original.GetJobQueue().Dequeue(queues, cancellationToken);

    /// <summary>Called within the transaction that changes the job's state: by clients, schedulers and the dashboard.</summary>
    public void Enqueue(IDbConnection connection, string queue, string jobId)
    {
        original.GetJobQueue().Enqueue(connection, queue, jobId);
        if (Transaction.Current is { } transaction)
            transaction.TransactionCompleted += WakeAfterCommit;
    }

    /// <summary>None: the original is asked too, and lists them all.</summary>
    public IEnumerable<string> GetQueues() => [];

    public IEnumerable<long> GetEnqueuedJobIds(string queue, int from, int perPage) => _monitoring.GetEnqueuedJobIds(queue, from, perPage);

    public IEnumerable<long> GetFetchedJobIds(string queue, int from, int perPage) => _monitoring.GetFetchedJobIds(queue, from, perPage);

    public EnqueuedAndFetchedCountDto GetEnqueuedAndFetchedCount(string queue) => _monitoring.GetEnqueuedAndFetchedCount(queue);

    private void WakeAfterCommit(object? sender, TransactionEventArgs completed)
    {
        if (completed.Transaction?.TransactionInformation.Status is TransactionStatus.Committed)
            signal.Wake();
    }
}
