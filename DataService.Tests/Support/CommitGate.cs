using Npgsql;

namespace DataService.Tests.Support;

/// <summary>Lets no audit entry be committed until it is disposed: who writes one is held just before its commit.</summary>
internal sealed class CommitGate : IAsyncDisposable
{
    private const string Key = "4711";

    private readonly RunningService _service;
    private readonly NpgsqlConnection _session;

    private CommitGate(RunningService service, NpgsqlConnection session) => (_service, _session) = (service, session);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Closes it; once for a service.</summary>
    public static async Task<CommitGate> CloseAsync(RunningService service)
    {
        await service.QueryAsync<object>(
            $$"""
              CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_advisory_xact_lock_shared({{Key}}); RETURN NULL; END $f$;
              CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON audit_entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_at_gate()
              """);
        var session = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(service.ConnectionString) { Pooling = false }.ConnectionString);
        await session.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand($"SELECT pg_advisory_lock({Key})", session);
        await command.ExecuteNonQueryAsync(Cancelled);
        return new CommitGate(service, session);
    }

    /// <summary>Waits until so many transactions are held.</summary>
    public Task HoldsAsync(int transactions) => Eventually.ReturnsAsync(
        () => _service.QueryAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"),
        held => held == transactions,
        $"{transactions} commits to wait");

    public ValueTask DisposeAsync() => _session.DisposeAsync();
}
