using System.Collections.Concurrent;
using System.Diagnostics;
using Hangfire.States;
using Npgsql;

namespace DataService.Jobs.Dispatch;

/// <summary>
/// Fetches jobs for all workers of this instance, which wait in memory: as many as are free, with one statement. It looks once a second,
/// and at once when this instance has enqueued something for a worker that is free, or there is more than it could take. A look also finds
/// jobs whose worker has died, and scheduled ones whose time has come. Every two seconds one statement shows for all jobs in hand that
/// their worker is alive.
/// </summary>
/// <remarks>It starts before Hangfire's server and stops after it: jobs that end after SIGTERM are shown to be alive until then.</remarks>
internal sealed partial class JobDispatcher(
    NpgsqlDataSource dataSource, JobSignal signal, CreationMetrics metrics, TimeProvider time, ILogger<JobDispatcher> logger) : BackgroundService
{
    public const string Queue = EnqueuedState.DefaultQueue;

    /// <summary>A worker that has not shown for so long that it is alive is not. The living show it five times as often.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(10);

    /// <summary>Between looks that nothing has asked for, and between attempts while the database is away.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan KeepAliveInterval = SilenceLimit / 5;

    /// <summary>Seconds. Nothing here waits long for a lock; a connection that is dead must not outlast the jobs' silence.</summary>
    private const int CommandTimeout = 4;

    private readonly Lock _lock = new();
    private readonly List<TaskCompletionSource<DispatchedJob?>> _places = [];
    private readonly ConcurrentDictionary<long, DispatchedJob> _held = [];
    private bool _mayHoldMore = true;
    private volatile bool _isKnown = true;
    private bool _isAway;
    private NpgsqlConnection? _connection;
    private long _keptAlive = Stopwatch.GetTimestamp();

    /// <summary>Raised while a delayed job's time has come.</summary>
    public JobSignal ScheduleIsDue { get; } = new();

    /// <summary>Raised while a recurring job's time has come.</summary>
    public JobSignal RecurringIsDue { get; } = new();

    /// <summary>Waits for the next job.</summary>
    /// <returns>Null where Hangfire's tables are not the known ones: then Hangfire's own queue has to serve.</returns>
    /// <exception cref="OperationCanceledException">The worker is to stop.</exception>
    public DispatchedJob? Take(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var place = new TaskCompletionSource<DispatchedJob?>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isNeeded;
        lock (_lock)
        {
            if (!_isKnown)
                return null;
            _places.Add(place);
            isNeeded = _mayHoldMore;
        }

        if (isNeeded)
            signal.Wake();
        // A job that was put into the place before is taken along: a worker that is to stop hands it back.
        using (cancellationToken.Register(() => place.TrySetCanceled(cancellationToken)))
            return place.Task.GetAwaiter().GetResult();
    }

    /// <summary>Hands the job back, or takes it out of the queue, by one statement of <see cref="HangfireTables"/>.</summary>
    /// <exception cref="NpgsqlException">The database failed.</exception>
    internal void Settle(string sql, DispatchedJob job, DateTime fetchedAt)
    {
        using var command = dataSource.CreateCommand(sql);
        command.Parameters.Add(new() { Value = new[] { job.Id } });
        command.Parameters.Add(new() { Value = new[] { fetchedAt } });
        command.ExecuteNonQuery();
    }

    /// <summary>The job is no longer in a worker's hands.</summary>
    internal void Forget(DispatchedJob job) => _held.TryRemove(new(job.Id, job));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                // Taken before the look: what is committed during the look raises this one.
                var raised = signal.Raised;
                if (await TryAsync())
                    continue;
                await RestAsync(raised, Task.Delay(Interval, time, stoppingToken));
            }
        }
        finally
        {
            await DisconnectAsync();
        }
    }

    /// <summary>Until the interval is over, or a job was enqueued and a worker is free: behind busy ones a thousand approvals ask nothing.</summary>
    private async Task RestAsync(Task raised, Task interval)
    {
        while (await Task.WhenAny(_isAway ? interval : raised, interval) != interval)
        {
            // Taken before the places are counted: a worker that comes meanwhile raises this one.
            raised = signal.Raised;
            lock (_lock)
            {
                if (_places.Exists(place => !place.Task.IsCompleted))
                    return;
            }
        }
    }

    /// <returns>Whether to look again at once.</returns>
    private async Task<bool> TryAsync()
    {
        try
        {
            var hasMore = await LookAsync();
            if (Stopwatch.GetElapsedTime(_keptAlive) >= KeepAliveInterval)
                await KeepAliveAsync();
            if (_isAway)
                LogBack();
            _isAway = false;
            return hasMore;
        }
        catch (NpgsqlException exception)
        {
            if (!_isAway)
                LogAway(exception);
            _isAway = true;
            await DisconnectAsync();
            return false;
        }
    }

    /// <returns>Whether to look again at once.</returns>
    private async Task<bool> LookAsync()
    {
        int free;
        lock (_lock)
        {
            _places.RemoveAll(place => place.Task.IsCompleted);
            free = _places.Count;
        }

        // Once they are unknown, nothing more is asked: the schedulers look by themselves, as often as without a dispatcher.
        var look = _isKnown ? await QueryAsync(free) : Look.Unknown;
        if (!look.IsKnown)
            FallBack();
        if (look.IsScheduleDue)
            ScheduleIsDue.Wake();
        if (look.IsRecurringDue)
            RecurringIsDue.Wake();

        List<DispatchedJob> left = [];
        foreach (var job in look.Jobs)
        {
            _held[job.Id] = job;
            if (job.IsAbandoned)
            {
                LogAbandoned(job.JobId);
                metrics.Abandoned();
            }

            if (!TryPlace(job))
                left.Add(job);
        }

        // Their workers were told to stop meanwhile.
        foreach (var job in left)
            job.Dispose();
        lock (_lock)
        {
            _mayHoldMore = look.IsKnown && look.Jobs.Count == free;
            return _mayHoldMore && _places.Exists(place => !place.Task.IsCompleted);
        }
    }

    private bool TryPlace(DispatchedJob job)
    {
        while (true)
        {
            TaskCompletionSource<DispatchedJob?> place;
            lock (_lock)
            {
                if (_places is [])
                    return false;
                place = _places[0];
                _places.RemoveAt(0);
            }

            if (place.TrySetResult(job))
                return true;
        }
    }

    private async Task<Look> QueryAsync(int free)
    {
        var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(HangfireTables.Look, connection)
        {
            CommandTimeout = CommandTimeout,
            Parameters =
            {
                new() { Value = HangfireTables.KnownVersion },
                new() { Value = Queue },
                new() { Value = SilenceLimit },
                new() { Value = _held.Keys.ToArray() },
                new() { Value = (long)free },
                new() { Value = (double)time.GetUtcNow().ToUnixTimeSeconds() },
            },
        };
        try
        {
            // Nothing of a look is cancelled: what it has fetched would be lost until its silence is noticed.
            await using var reader = await command.ExecuteReaderAsync(CancellationToken.None);
            await reader.ReadAsync(CancellationToken.None);
            var (ids, jobIds, fetched, abandoned) = (
                reader.GetFieldValue<long[]>(3), reader.GetFieldValue<long[]>(4),
                reader.GetFieldValue<DateTime[]>(5), reader.GetFieldValue<bool[]>(6));
            return reader.GetBoolean(0)
                ? new Look(
                    IsKnown: true, reader.GetBoolean(1), reader.GetBoolean(2),
                    [.. ids.Select((id, at) => new DispatchedJob(this, id, jobIds[at], fetched[at], abandoned[at]))])
                : Look.Unknown;
        }
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedTable)
        {
            return Look.Unknown;
        }
    }

    /// <summary>One statement for all that this instance holds. What is being settled just now is left to that.</summary>
    private async Task KeepAliveAsync()
    {
        _keptAlive = Stopwatch.GetTimestamp();
        var jobs = _held.Values.Where(job => job.TryEnter()).ToList();
        if (jobs is [])
            return;
        try
        {
            await using var command = new NpgsqlCommand(HangfireTables.KeepAlive, await ConnectAsync()) { CommandTimeout = CommandTimeout };
            command.Parameters.Add(new() { Value = jobs.Select(job => job.Id).ToArray() });
            command.Parameters.Add(new() { Value = jobs.Select(job => job.FetchedAt!.Value).ToArray() });
            Dictionary<long, DateTime> alive = [];
            await using (var reader = await command.ExecuteReaderAsync(CancellationToken.None))
            {
                while (await reader.ReadAsync(CancellationToken.None))
                    alive[reader.GetInt64(0)] = reader.GetDateTime(1);
            }

            foreach (var job in jobs)
            {
                job.FetchedAt = alive.TryGetValue(job.Id, out var fetchedAt) ? fetchedAt : null;
                if (job.FetchedAt is not null)
                    continue;
                Forget(job);
                LogTakenOver(job.JobId);
            }
        }
        finally
        {
            foreach (var job in jobs)
                job.Leave();
        }
    }

    /// <summary>Lets Hangfire's own queue serve the workers, to the end of the process.</summary>
    private void FallBack()
    {
        List<TaskCompletionSource<DispatchedJob?>> places;
        lock (_lock)
        {
            if (!_isKnown)
                return;
            _isKnown = false;
            places = [.. _places];
            _places.Clear();
        }

        LogUnknown(HangfireTables.KnownVersion);
        foreach (var place in places)
            place.TrySetResult(null);
    }

    /// <summary>One connection is kept: where the pool has none left, jobs have to be shown to be alive all the same.</summary>
    private async Task<NpgsqlConnection> ConnectAsync() =>
        _connection ??= await dataSource.OpenConnectionAsync(CancellationToken.None);

    private async Task DisconnectAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync();
        _connection = null;
    }

    private sealed record Look(bool IsKnown, bool IsScheduleDue, bool IsRecurringDue, IReadOnlyList<DispatchedJob> Jobs)
    {
        public static readonly Look Unknown = new(IsKnown: false, IsScheduleDue: true, IsRecurringDue: true, []);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The worker of job {JobId} is gone; the job is run again")]
    private partial void LogAbandoned(string jobId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {JobId} was taken over: its worker has been silent for too long")]
    private partial void LogTakenOver(string jobId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Jobs cannot be fetched, and will be as soon as the database answers")]
    private partial void LogAway(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Jobs are fetched again")]
    private partial void LogBack();

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Hangfire's schema is not version {KnownVersion}: each worker fetches its jobs by itself, through Hangfire's own queue")]
    private partial void LogUnknown(int knownVersion);
}
