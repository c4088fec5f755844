using System.Runtime.Versioning;
using DataService.Data;
using Npgsql;

namespace DataService.Tests.Data;

[UnsupportedOSPlatform("windows")]
public sealed class EmbeddedPostgresTests : IDisposable
{
    private readonly DirectoryInfo _temporary = Directory.CreateDirectory(
        Path.Combine(Environment.GetEnvironmentVariable("DATASERVICE_TEST_FOLDER") ?? Path.GetTempPath(), $"postgres-{Guid.NewGuid():N}"));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Folder => Path.Combine(_temporary.FullName, "postgres");

    private string DataFolder => Path.Combine(Folder, "data");

    public void Dispose() => _temporary.Delete(recursive: true);

    [Fact]
    public async Task A_second_start_finds_the_data_of_the_first()
    {
        await using (var first = await StartAsync()) await ExecuteAsync(first.ConnectionString, "CREATE TABLE kept AS SELECT 42 AS answer");

        await using var second = await StartAsync();

        Assert.Equal(42, await ExecuteAsync(second.ConnectionString, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task While_its_owner_lives_a_cluster_is_shared_and_not_stopped_by_the_others()
    {
        await using var owner = await StartAsync();

        await using (var guest = await StartAsync())
        {
            Assert.False(guest.IsOwner);
            Assert.Equal(owner.ConnectionString, guest.ConnectionString);
        }

        Assert.Equal(1, await ExecuteAsync(owner.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_cluster_left_behind_by_a_killed_owner_is_adopted_and_stopped()
    {
        string left;
        await using (var killed = await StartAsync()) left = killed.ConnectionString;
        await StartWithoutOwnerAsync(new NpgsqlConnectionStringBuilder(left).Port);

        await using (var heir = await StartAsync())
        {
            Assert.True(heir.IsOwner);
            Assert.Equal(left, heir.ConnectionString);
        }

        Assert.False(File.Exists(Path.Combine(DataFolder, "postmaster.pid")));
        await Assert.ThrowsAsync<NpgsqlException>(() => ExecuteAsync(left, "SELECT 1"));
    }

    [Fact]
    public async Task An_interrupted_initdb_is_redone()
    {
        var unfinished = Directory.CreateDirectory(Path.Combine(Folder, "data.unfinished-by-a-killed-service")).FullName;
        await File.WriteAllTextAsync(Path.Combine(unfinished, "PG_VERSION"), "15", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(Folder, "password"), "of the interrupted one", Cancellation);

        await using var postgres = await StartAsync();

        Assert.Equal(1, await ExecuteAsync(postgres.ConnectionString, "SELECT 1"));
        Assert.False(Directory.Exists(unfinished));
    }

    [Fact]
    public async Task A_stale_process_number_that_is_anothers_by_now_does_not_stand_in_the_way()
    {
        await using (await StartAsync())
        {
        }

        string[] stale = [$"{Environment.ProcessId}", DataFolder, "1", "5432", "", "127.0.0.1", "1 2", "ready"];
        await File.WriteAllLinesAsync(Path.Combine(DataFolder, "postmaster.pid"), stale, Cancellation);

        await using var postgres = await StartAsync();

        Assert.Equal(1, await ExecuteAsync(postgres.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task Root_can_use_a_folder_that_the_user_of_PostgreSQL_cannot_reach()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root needs another user for PostgreSQL.");
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.SetUnixFileMode(_temporary.FullName, OwnerOnly);

        await using var postgres = await StartAsync();

        Assert.Equal(1, await ExecuteAsync(postgres.ConnectionString, "SELECT 1"));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_temporary.FullName));
    }

    [Fact]
    public async Task A_wrong_password_is_refused_and_the_right_one_is_the_owners_alone()
    {
        await using var postgres = await StartAsync();

        var wrong = new NpgsqlConnectionStringBuilder(postgres.ConnectionString) { Password = "wrong" }.ConnectionString;
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(wrong, "SELECT 1"));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Folder, "password")));
        Assert.Equal("127.0.0.1", await ExecuteAsync(postgres.ConnectionString, "SHOW listen_addresses"));
    }

    [Fact]
    public async Task A_throw_away_cluster_leaves_nothing()
    {
        await using (await EmbeddedPostgres.StartAsync(Folder, new() { ThrowAway = true }, Cancellation))
        {
            Assert.True(Directory.Exists(DataFolder));
        }

        Assert.False(Directory.Exists(Folder));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_crash_and_restart_keeps_the_port_and_all_that_was_committed_a_moment_before(bool throwAway)
    {
        await using var postgres = await EmbeddedPostgres.StartAsync(Folder, new() { ThrowAway = throwAway }, Cancellation);
        await ExecuteAsync(postgres.ConnectionString, "CREATE TABLE kept (answer int)");
        var before = await ExecuteAsync(postgres.ConnectionString, "SELECT pg_postmaster_start_time()");

        await ExecuteAsync(postgres.ConnectionString, "INSERT INTO kept VALUES (42)");
        await postgres.RestartAsync();

        Assert.Equal(42, await ExecuteAsync(postgres.ConnectionString, "SELECT answer FROM kept"));
        Assert.NotEqual(before, await ExecuteAsync(postgres.ConnectionString, "SELECT pg_postmaster_start_time()"));
    }

    [Fact]
    public async Task Only_its_owner_restarts_a_cluster()
    {
        await using var owner = await StartAsync();
        await using var guest = await StartAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(guest.RestartAsync);
    }

    [Fact]
    public async Task Giving_up_while_the_server_starts_leaves_none_running()
    {
        // A start that was faster than this test proves nothing, so it is repeated.
        while (!await GaveUpAsync()) Assert.False(Cancellation.IsCancellationRequested);

        Assert.False(File.Exists(Path.Combine(DataFolder, "postmaster.pid")));
    }

    [Fact]
    public async Task Without_PostgreSQL_the_message_says_where_it_was_looked_for_and_what_to_do()
    {
        var options = new EmbeddedPostgresOptions { BinaryFolders = [_temporary.FullName, $"{_temporary.FullName}/*/bin"] };

        var failure = await Assert.ThrowsAsync<EmbeddedPostgresException>(() => EmbeddedPostgres.StartAsync(Folder, options, Cancellation));

        Assert.Contains("PostgreSQL 14 or newer", failure.Message, StringComparison.Ordinal);
        Assert.Contains(_temporary.FullName, failure.Message, StringComparison.Ordinal);
        Assert.Contains("./scripts/run", failure.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings__DataService", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_of_another_major_version_is_named_and_left_alone()
    {
        Directory.CreateDirectory(DataFolder);
        await File.WriteAllTextAsync(Path.Combine(DataFolder, "PG_VERSION"), "12\n", Cancellation);

        var failure = await Assert.ThrowsAsync<EmbeddedPostgresException>(StartAsync);

        Assert.Contains(DataFolder, failure.Message, StringComparison.Ordinal);
        Assert.Contains("PostgreSQL 12", failure.Message, StringComparison.Ordinal);
        Assert.Contains("installed: ", failure.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(DataFolder, "PG_VERSION")));
    }

    private Task<EmbeddedPostgres> StartAsync() => EmbeddedPostgres.StartAsync(Folder, cancellationToken: Cancellation);

    private async Task<bool> GaveUpAsync()
    {
        using var impatient = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var starting = EmbeddedPostgres.StartAsync(Folder, cancellationToken: impatient.Token);
        while (!File.Exists(Path.Combine(DataFolder, "postmaster.pid")) && !starting.IsCompleted) await Task.Yield();
        await impatient.CancelAsync();
        try
        {
            await (await starting).DisposeAsync();
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    // What remains of a service that was killed: its server, and nobody who holds the folder.
    private async Task StartWithoutOwnerAsync(int port)
    {
        var binaries = await PostgresBinaries.FindAsync(DataFolder, searchFolders: null, Cancellation);
        await binaries.ChooseAccountAsync(Folder, DataFolder, Cancellation);
        var started = await binaries.RunAsync(
            "pg_ctl",
            [
                "start", "-D", DataFolder, "-l", Path.Combine(Folder, "postgres.log"), "-w",
                "-o", $"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''",
            ],
            Cancellation);
        Assert.True(started.Succeeded, started.Output);
    }

    private static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
