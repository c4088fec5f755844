using System.Globalization;
using Hangfire.Storage;
using Npgsql;

namespace DataService.Jobs.Dispatch;

/// <summary>
/// A job in a worker's hands. As with Hangfire's own, the row is ours for as long as it bears the time that we wrote into it last: a worker
/// that was silent for too long, and whose job another one has taken, changes nothing any more.
/// </summary>
/// <param name="dispatcher">Shows that the job's worker is alive.</param>
/// <param name="id">Of the row in the queue.</param>
/// <param name="jobId">Hangfire's number of the job.</param>
/// <param name="fetchedAt">As the row has it.</param>
/// <param name="isAbandoned">Whether another worker had it before, and died.</param>
internal sealed class DispatchedJob(JobDispatcher dispatcher, long id, long jobId, DateTime fetchedAt, bool isAbandoned) : IFetchedJob
{
    /// <summary>Held by whoever changes the row: a sign of life between the reading of the time and its use would lose the row.</summary>
    private readonly SemaphoreSlim _change = new(1, 1);

    public long Id => id;

    public string JobId { get; } = jobId.ToString(CultureInfo.InvariantCulture);

    public bool IsAbandoned => isAbandoned;

    /// <summary>UTC; null when the row is no longer ours.</summary>
    internal DateTime? FetchedAt { get; set; } = fetchedAt;

    /// <summary>The job has come to its end.</summary>
    /// <exception cref="NpgsqlException">The database failed; the job stays in the queue.</exception>
    public void RemoveFromQueue() => Settle(HangfireTables.Remove);

    /// <summary>Gives the job back, for any worker to take at once.</summary>
    /// <exception cref="NpgsqlException">The database failed; another worker takes the job when this one's silence is noticed.</exception>
    public void Requeue() => Settle(HangfireTables.HandBack);

    /// <summary>Whatever was not settled is given back.</summary>
    public void Dispose()
    {
        try
        {
            Requeue();
        }
        catch (NpgsqlException)
        {
            // Nobody shows a sign of life for it from now on, so it is taken over all the same.
        }
        finally
        {
            dispatcher.Forget(this);
        }
    }

    /// <returns>False where it is being settled; there is nothing to keep alive then.</returns>
    internal bool TryEnter()
    {
        if (!_change.Wait(0))
            return false;
        if (FetchedAt is not null)
            return true;
        _change.Release();
        return false;
    }

    internal void Leave() => _change.Release();

    private void Settle(string sql)
    {
        _change.Wait();
        try
        {
            if (FetchedAt is not { } at)
                return;
            dispatcher.Settle(sql, this, at);
            FetchedAt = null;
        }
        finally
        {
            _change.Release();
        }
    }
}
