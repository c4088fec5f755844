using System.Globalization;
using DataService.Data;
using DataService.Tests.Support;
using Npgsql;

[assembly: AssemblyFixture(typeof(PostgresCluster))]

namespace DataService.Tests.Support;

/// <summary>The throw-away PostgreSQL of one test run. Each test takes a database of its own from it.</summary>
public sealed class PostgresCluster : IAsyncLifetime
{
    /// <summary>Set by scripts/test, which cleans up behind a run that was killed.</summary>
    private const string FolderVariable = "DATASERVICE_TEST_FOLDER";

    private readonly SemaphoreSlim _templateLock = new(1, 1);
    private EmbeddedPostgres? _postgres;
    private string? _template;
    private string _copying = "";
    private int _databases;

    internal string ConnectionString => _postgres?.ConnectionString ?? throw new InvalidOperationException("The cluster is not started.");

    public async ValueTask InitializeAsync()
    {
        // Hangfire's storage keeps the code that it compiles for a statement by the connection string: for each of a thousand databases anew.
        Dapper.SqlMapper.ConnectionStringComparer = new SameTables();
        var folder = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } given ? given : Path.GetTempPath();
        _postgres = await EmbeddedPostgres.StartAsync(Path.Combine(folder, $"dataservice-tests-{Guid.NewGuid():N}"), new EmbeddedPostgresOptions { ThrowAway = true });
        // Before PostgreSQL 15 there is no other way, and no word for it.
        if (int.Parse((await QueryAsync<string>(ConnectionString, "SHOW server_version_num"))!, CultureInfo.InvariantCulture) >= 150_000)
            _copying = "STRATEGY file_copy";
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
        _templateLock.Dispose();
    }

    /// <summary>A new, empty database.</summary>
    internal Task<string> CreateEmptyDatabaseAsync() => CreateDatabaseAsync(template: "template1");

    /// <summary>A new database with all migrations applied.</summary>
    internal async Task<string> CreateDatabaseAsync() => await CreateDatabaseAsync(await MigratedTemplateAsync());

    /// <summary>Of a test that is over: a thousand of them would fill the memory, or be written to the disk after all.</summary>
    internal async Task DropDatabaseAsync(string connectionString)
    {
        await using (var pooled = new NpgsqlConnection(connectionString))
            NpgsqlConnection.ClearPool(pooled);
        await QueryAsync<object>(ConnectionString, $"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)");
    }

    /// <summary>Runs one statement in a database and returns its first value.</summary>
    internal static async Task<T?> QueryAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        return await QueryAsync<T>(connection, sql);
    }

    /// <inheritdoc cref="QueryAsync{T}(string, string)"/>
    internal static async Task<T?> QueryAsync<T>(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync() is { } value and not DBNull ? (T)value : default;
    }

    private async Task<string> MigratedTemplateAsync()
    {
        await _templateLock.WaitAsync();
        try
        {
            if (_template is null)
            {
                var connectionString = await CreateEmptyDatabaseAsync();
                var settings = new Dictionary<string, string?> { ["ConnectionStrings:DataService"] = connectionString, ["API_TOKEN"] = RunningService.ApiToken };
                await (await ServiceInProcess.StartAsync(settings, new LogCapture())).DisposeAsync();
                // In a copy they would all be overdue, and run at once between a test's own jobs.
                await QueryAsync<object>(connectionString, "DELETE FROM hangfire.set WHERE key = 'recurring-jobs'; DELETE FROM hangfire.hash WHERE key LIKE 'recurring-job:%'");
                NpgsqlConnection.ClearAllPools();
                _template = new NpgsqlConnectionStringBuilder(connectionString).Database;
            }

            return _template!;
        }
        finally
        {
            _templateLock.Release();
        }
    }

    private async Task<string> CreateDatabaseAsync(string template)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _databases)}");
        await QueryAsync<object>(ConnectionString, $"CREATE DATABASE {name} TEMPLATE {template} {_copying}");
        // A service that a test has stopped leaves its pools behind: they empty soon, or hundreds of them fill the server.
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name, MaxPoolSize = 50, ConnectionIdleLifetime = 10, ConnectionPruningInterval = 5 }.ConnectionString;
    }

    private sealed class SameTables : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => true;

        public int GetHashCode(string obj) => 0;
    }
}
