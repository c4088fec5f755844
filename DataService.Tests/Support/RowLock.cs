using Npgsql;

namespace DataService.Tests.Support;

/// <summary>A project's rows, held by the test: an instance that wants them waits, and can be stopped there.</summary>
internal sealed class RowLock : IAsyncDisposable
{
    private readonly string _connectionString;
    private readonly NpgsqlConnection _session;
    private readonly NpgsqlTransaction _transaction;

    private RowLock(string connectionString, NpgsqlConnection session, NpgsqlTransaction transaction) =>
        (_connectionString, _session, _transaction) = (connectionString, session, transaction);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Waits for its turn: PostgreSQL gives a row to those who want it in the order in which they came.</summary>
    public static async Task<RowLock> TakeAsync(string connectionString, string slug)
    {
        var session = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await session.OpenAsync(Cancelled);
        var transaction = await session.BeginTransactionAsync(Cancelled);
        // In the service's own order, lest the two wait for each other.
        await using (var project = new NpgsqlCommand($"SELECT FROM projects WHERE slug = '{slug}' FOR UPDATE", session, transaction))
            await project.ExecuteNonQueryAsync(Cancelled);
        var ofProject = $"project_id = (SELECT id FROM projects WHERE slug = '{slug}')";
        await using (var creation = new NpgsqlCommand($"SELECT FROM repo_creations WHERE {ofProject} FOR UPDATE", session, transaction))
            await creation.ExecuteNonQueryAsync(Cancelled);
        return new RowLock(connectionString, session, transaction);
    }

    /// <summary>Waits until so many sessions queue for the rows.</summary>
    public Task IsWaitedForAsync(int sessions = 1) => Eventually.ReturnsAsync(
        () => OfThoseWhoWaitAsync("SELECT count(*) FROM waiting"),
        waiting => waiting >= sessions,
        $"{sessions} sessions to wait for the rows");

    /// <summary>
    /// Gives the rows back, with those who wait for them sent away: PostgreSQL would still carry out the statement of a client that
    /// was killed meanwhile.
    /// </summary>
    public async Task ReleaseToNobodyAsync()
    {
        await Eventually.ReturnsAsync(
            () => OfThoseWhoWaitAsync("SELECT count(pg_terminate_backend(pid)) FROM waiting"),
            left => left is 0,
            "nobody to wait for the rows");
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _session.DisposeAsync();
    }

    /// <summary>In another session: within one transaction PostgreSQL shows the sessions as they were at its first look.</summary>
    private Task<long> OfThoseWhoWaitAsync(string query) => PostgresCluster.QueryAsync<long>(
        _connectionString,
        $"""
         WITH RECURSIVE waiting AS (
           SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND {_session.ProcessID} = ANY (pg_blocking_pids(pid))
           UNION
           SELECT behind.pid FROM pg_stat_activity behind JOIN waiting ON waiting.pid = ANY (pg_blocking_pids(behind.pid))
         ) {query}
         """);
}
