using Npgsql;

namespace DataService.Data;

/// <summary>
/// Keeps the work on one project outside the database to one instance at a time. PostgreSQL holds it for a session, so it ends with
/// the process, whatever becomes of it.
/// </summary>
internal sealed class ProjectLock : IAsyncDisposable
{
    /// <summary>Keeps these locks apart from others on the same database.</summary>
    private const int Space = 0x_50_72_6f_6a;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    private readonly NpgsqlConnection _session;

    private ProjectLock(NpgsqlConnection session) => _session = session;

    /// <summary>Waits until nobody else holds it. Those who wait hold no connection.</summary>
    public static async Task<ProjectLock> AcquireAsync(NpgsqlDataSource dataSource, Guid projectId, TimeProvider time, CancellationToken cancellationToken)
    {
        using var retries = new PeriodicTimer(RetryInterval, time);
        while (true)
        {
            if (await TryAcquireAsync(dataSource, projectId, cancellationToken) is { } taken)
                return taken;
            await retries.WaitForNextTickAsync(cancellationToken);
        }
    }

    /// <returns>Null where somebody else holds it.</returns>
    public static async Task<ProjectLock?> TryAcquireAsync(NpgsqlDataSource dataSource, Guid projectId, CancellationToken cancellationToken)
    {
        var session = await dataSource.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1, $2)", session) { Parameters = { new() { Value = Space }, new() { Value = Key(projectId) } } };
            if (await command.ExecuteScalarAsync(cancellationToken) is true)
                return new ProjectLock(session);
        }
        catch
        {
            await session.DisposeAsync();
            throw;
        }

        await session.DisposeAsync();
        return null;
    }

    /// <summary>Asks the session that holds it. The lock goes with the session, and nothing tells the work under it.</summary>
    /// <exception cref="NpgsqlException">The session is gone, and somebody else may have the lock.</exception>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (_session.FullState is not System.Data.ConnectionState.Open)
            throw new NpgsqlException("The session that held the project's lock is gone.");
        await using var command = new NpgsqlCommand("SELECT 1", _session);
        await command.ExecuteScalarAsync(cancellationToken);
    }

    /// <summary>Back in the pool the session is reset, which releases the lock; it is released here so as not to wait for that.</summary>
    public async ValueTask DisposeAsync()
    {
        await using (_session)
        {
            if (_session.FullState is not System.Data.ConnectionState.Open)
                return;
            try
            {
                await using var command = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", _session);
                await command.ExecuteNonQueryAsync(CancellationToken.None);
            }
            catch (NpgsqlException)
            {
                // The lock has gone with its session.
            }
        }
    }

    /// <summary>The random end of a version 7 id. Two projects that share it take turns, and nothing worse.</summary>
    private static int Key(Guid projectId) => BitConverter.ToInt32(projectId.ToByteArray(), 12);
}
