using Npgsql;

namespace DataService.Jobs;

/// <summary>
/// Puts a dead worker's job back into the queue. Hangfire would find it by itself, but last: it takes jobs that nobody has fetched yet
/// before those that somebody has, so behind a thousand approvals a killed one waits for the end of them all. Put back, it is the oldest.
/// </summary>
internal sealed partial class AbandonedJobs(NpgsqlDataSource dataSource, TimeProvider time, ILogger<AbandonedJobs> logger) : BackgroundService
{
    /// <summary>A worker that has not shown for so long that it is alive is not. The living show it five times as often.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ticks = new PeriodicTimer(Interval, time);
        while (await ticks.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await PutBackAsync(stoppingToken);
            }
            catch (NpgsqlException exception)
            {
                LogNotPutBack(exception);
            }
        }
    }

    private async Task PutBackAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(HangfireTables.PutBack);
        command.Parameters.Add(new() { Value = SilenceLimit });
        await using var abandoned = await command.ExecuteReaderAsync(cancellationToken);
        while (await abandoned.ReadAsync(cancellationToken))
            LogPutBack(abandoned.GetInt64(0));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The worker of job {JobId} is gone; the job is put back into the queue")]
    private partial void LogPutBack(long jobId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Abandoned jobs could not be looked for")]
    private partial void LogNotPutBack(Exception exception);
}
