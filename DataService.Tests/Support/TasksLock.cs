using Npgsql;

namespace DataService.Tests.Support;

/// <summary>The table of tasks, which only the test may change: a push can be stopped where it saves the number of an issue.</summary>
internal sealed class TasksLock : IAsyncDisposable
{
    private readonly string _connectionString;
    private readonly NpgsqlConnection _session;
    private readonly NpgsqlTransaction _transaction;

    private TasksLock(string connectionString, NpgsqlConnection session, NpgsqlTransaction transaction) =>
        (_connectionString, _session, _transaction) = (connectionString, session, transaction);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static async Task<TasksLock> TakeAsync(string connectionString)
    {
        var session = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await session.OpenAsync(Cancelled);
        var taken = new TasksLock(connectionString, session, await session.BeginTransactionAsync(Cancelled));
        await taken.ExecuteAsync("LOCK TABLE tasks IN SHARE MODE");
        return taken;
    }

    /// <summary>Waits until somebody else wants to change a task. What that one reads, it reads after the lock has ended.</summary>
    public Task IsWaitedForAsync() => Eventually.ReturnsAsync(
        () => PostgresCluster.QueryAsync<long>(
            _connectionString,
            """
            SELECT count(*) FROM pg_locks WHERE relation = 'tasks'::regclass AND NOT granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """),
        waiting => waiting > 0,
        "somebody to wait for the tasks");

    /// <summary>Ends the lock with a change of the test's own.</summary>
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
}
