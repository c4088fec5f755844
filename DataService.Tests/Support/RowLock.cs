using Npgsql;

namespace DataService.Tests.Support;

/// <summary>Rows, held by the test: an instance that wants them waits, and can be stopped there.</summary>
internal sealed class RowLock : IAsyncDisposable
{
    private readonly string _connectionString;
    private readonly NpgsqlConnection _session;
    private readonly NpgsqlTransaction _transaction;

    private RowLock(string connectionString, NpgsqlConnection session, NpgsqlTransaction transaction) =>
        (_connectionString, _session, _transaction) = (connectionString, session, transaction);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>All tasks, which only the test may change then: a push can be stopped where it saves the number of an issue.</summary>
    public static async Task<RowLock> TakeTasksAsync(string connectionString)
    {
        var taken = await BeginAsync(connectionString);
        await taken.ExecuteAsync("LOCK TABLE tasks IN SHARE MODE");
        return taken;
    }

    /// <summary>A project and its creation. Waits for its turn: PostgreSQL gives a row to those who want it in the order in which they came.</summary>
    public static async Task<RowLock> TakeAsync(string connectionString, string slug)
    {
        var taken = await BeginAsync(connectionString);
        // In the service's own order, lest the two wait for each other.
        await taken.ExecuteAsync($"SELECT FROM projects WHERE slug = '{slug}' FOR UPDATE");
        await taken.ExecuteAsync($"SELECT FROM repo_creations WHERE project_id = (SELECT id FROM projects WHERE slug = '{slug}') FOR UPDATE");
        return taken;
    }

    private static async Task<RowLock> BeginAsync(string connectionString)
    {
        var session = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await session.OpenAsync(Cancelled);
        return new RowLock(connectionString, session, await session.BeginTransactionAsync(Cancelled));
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

    /// <summary>Gives the rows back with a change of the test's own.</summary>
    public async Task ChangeAsync(string statements)
    {
        await ExecuteAsync(statements);
        await _transaction.CommitAsync(Cancelled);
    }

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _session.DisposeAsync();
    }

    private async Task ExecuteAsync(string statements)
    {
        await using var command = new NpgsqlCommand(statements, _session, _transaction);
        await command.ExecuteNonQueryAsync(Cancelled);
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
