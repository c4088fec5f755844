using Npgsql;

namespace DataService.Jobs;

/// <summary>
/// Shows in the creation's row that a run of it is alive. A killed process renews nothing, so its lease is over before Hangfire gives
/// its job to another worker; one that was only frozen finds on waking that its run is no longer the last.
/// </summary>
internal sealed partial class RunLease(NpgsqlDataSource dataSource, TimeProvider time, ILogger<RunLease> logger)
{
    /// <summary>Below the time after which Hangfire gives the job of a silent worker away.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan RenewalInterval = TimeSpan.FromSeconds(2);

    /// <summary>Renews the lease until it is disposed of.</summary>
    public IAsyncDisposable Keep(Guid projectId, int run) => new Renewal(this, new PeriodicTimer(RenewalInterval, time), projectId, run);

    /// <param name="ticks">Ends it where it is disposed of: a wait that is cancelled throws, and looks up the lines of its stack, once for each job.</param>
    /// <param name="projectId">Whose creation it is.</param>
    /// <param name="run">Its number.</param>
    /// <param name="cancellationToken">Breaks off what is under way.</param>
    private async Task RenewAsync(PeriodicTimer ticks, Guid projectId, int run, CancellationToken cancellationToken)
    {
        while (await ticks.WaitForNextTickAsync(CancellationToken.None))
        {
            try
            {
                await using var renew = dataSource.CreateCommand(
                    "UPDATE repo_creations SET lease_until = clock_timestamp() + $3 WHERE project_id = $1 AND run = $2 AND lease_until IS NOT NULL");
                renew.Parameters.Add(new() { Value = projectId });
                renew.Parameters.Add(new() { Value = run });
                renew.Parameters.Add(new() { Value = Length });
                await renew.ExecuteNonQueryAsync(cancellationToken);
            }
            catch (NpgsqlException exception) when (!cancellationToken.IsCancellationRequested)
            {
                // The next tick tries again. Should the lease run out meanwhile, the row's run number keeps this one from doing harm.
                LogNotRenewed(exception, projectId);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease on the creation of project {ProjectId} could not be renewed")]
    private partial void LogNotRenewed(Exception exception, Guid projectId);

    private sealed class Renewal : IAsyncDisposable
    {
        private readonly PeriodicTimer _ticks;
        private readonly CancellationTokenSource _end = new();
        private readonly Task _renewing;

        public Renewal(RunLease lease, PeriodicTimer ticks, Guid projectId, int run) =>
            (_ticks, _renewing) = (ticks, lease.RenewAsync(ticks, projectId, run, _end.Token));

        public async ValueTask DisposeAsync()
        {
            _ticks.Dispose();
            await _end.CancelAsync();
            await _renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _end.Dispose();
        }
    }
}
