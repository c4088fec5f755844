using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using DataService.Jobs;
using DataService.Jobs.Dispatch;
using Hangfire;
using Hangfire.PostgreSql;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace DataService.Tests.Jobs.Dispatch;

/// <summary>A dispatcher and Hangfire's storage on it, as an instance of the service has them, without the rest of the service.</summary>
internal sealed class Dispatch : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private readonly NpgsqlDataSource _dataSource;
    private readonly JobSignal _signal = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    private Dispatch(string connectionString, TimeProvider? time)
    {
        _dataSource = NpgsqlDataSource.Create(connectionString);
        Dispatcher = new JobDispatcher(
            _dataSource, _signal, new CreationMetrics(_services.GetRequiredService<IMeterFactory>()), time ?? TimeProvider.System,
            NullLogger<JobDispatcher>.Instance);
        Storage = JobsSetup.Storage(_dataSource, Dispatcher, _signal, TimeSpan.FromDays(1));
    }

    public JobDispatcher Dispatcher { get; }

    public PostgreSqlStorage Storage { get; }

    public IBackgroundJobClient Client => new BackgroundJobClient(Storage);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <param name="connectionString">A migrated database.</param>
    /// <param name="time">A clock that stands still lets the dispatcher look only when it is woken.</param>
    public static async Task<Dispatch> StartAsync(string connectionString, TimeProvider? time = null)
    {
        var dispatch = new Dispatch(connectionString, time);
        await dispatch.Dispatcher.StartAsync(Cancelled);
        return dispatch;
    }

    /// <summary>Waits for a job, as a worker does.</summary>
    public Task<DispatchedJob> TakeAsync() => TakeUntilAsync(Cancelled).WaitAsync(Limit, Cancelled);

    /// <param name="cancellationToken">Stops the worker.</param>
    public Task<DispatchedJob> TakeUntilAsync(CancellationToken cancellationToken) => Task.Factory.StartNew(
        () => Dispatcher.Take(cancellationToken) ?? throw new InvalidOperationException("The tables are not known."),
        cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public void Wake() => _signal.Wake();

    /// <summary>Shows no sign of life any more, and takes nothing.</summary>
    public Task StopAsync() => Dispatcher.StopAsync(Cancelled);

    public async ValueTask DisposeAsync()
    {
        await Dispatcher.StopAsync(CancellationToken.None);
        Dispatcher.Dispose();
        await _dataSource.DisposeAsync();
        await _services.DisposeAsync();
    }
}

/// <summary>A job that counts its own runs.</summary>
public static class CountedJob
{
    private static readonly ConcurrentDictionary<string, int> Runs = [];

    public static void Run(string name) => Runs.AddOrUpdate(name, 1, (_, runs) => runs + 1);

    public static int RunsOf(string name) => Runs.GetValueOrDefault(name);
}
