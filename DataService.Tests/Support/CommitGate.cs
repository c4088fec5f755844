using Npgsql;

namespace DataService.Tests.Support;

/// <summary>Lets no audit entry be committed until it is disposed: who writes one is held just before its commit.</summary>
internal sealed class CommitGate : IAsyncDisposable
{
    private const string Key = "4711";

    /// <summary>The whole cluster's locks are shown to every database.</summary>
    private const string Held =
        "pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    private readonly string _connectionString;
    private readonly NpgsqlConnection _session;

    private CommitGate(string connectionString, NpgsqlConnection session) => (_connectionString, _session) = (connectionString, session);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Closes it; once for a database.</summary>
    public static async Task<CommitGate> CloseAsync(string connectionString)
    {
        await PostgresCluster.QueryAsync<object>(
            connectionString,
            $$"""
              CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_advisory_xact_lock_shared({{Key}}); RETURN NULL; END $f$;
              CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON audit_entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_gate()
              """);
        var session = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await session.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand($"SELECT pg_advisory_lock({Key})", session);
        await command.ExecuteNonQueryAsync(Cancelled);
        return new CommitGate(connectionString, session);
    }

    /// <summary>Waits until so many transactions are held.</summary>
    public Task HoldsAsync(int transactions) => Eventually.ReturnsAsync(
        () => PostgresCluster.QueryAsync<long>(_connectionString, $"SELECT count(*) FROM {Held}"),
        held => held == transactions,
        $"{transactions} commits to wait");

    /// <summary>
    /// Opens it, with those who are held sent away: PostgreSQL would still commit for a client that was killed meanwhile.
    /// </summary>
    public async Task OpenToNobodyAsync()
    {
        await Eventually.ReturnsAsync(
            () => PostgresCluster.QueryAsync<long>(_connectionString, $"SELECT count(pg_terminate_backend(pid)) FROM {Held}"),
            left => left is 0,
            "nobody to wait for their commit");
        await DisposeAsync();
    }

    public ValueTask DisposeAsync() => _session.DisposeAsync();
}
