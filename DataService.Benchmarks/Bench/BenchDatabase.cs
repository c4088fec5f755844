using System.Globalization;
using DataService.Benchmarks.Seeding;
using DataService.Data;
using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace DataService.Benchmarks.Bench;

/// <summary>A database that a service is measured on, past the service.</summary>
/// <param name="connectionString">Holds the password.</param>
internal sealed class BenchDatabase(string connectionString) : IAsyncDisposable
{
    public string ConnectionString => connectionString;

    public string Name { get; } = new NpgsqlConnectionStringBuilder(connectionString).Database ?? "";

    public NpgsqlDataSource Source { get; } = NpgsqlDataSource.Create(connectionString);

    /// <summary>As a start of the service would.</summary>
    /// <exception cref="CannotRunException">The database cannot be used.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await using var services = new ServiceCollection()
            .AddDbContext<DataServiceDbContext>(context => context.UseNpgsql(Source).UseSnakeCaseNamingConvention())
            .BuildServiceProvider();
        try
        {
            var scopes = services.GetRequiredService<IServiceScopeFactory>();
            await new DatabaseMigration(Source, scopes, NullLogger<DatabaseMigration>.Instance).ApplyAsync(cancellationToken);
        }
        catch (ConfigurationException exception)
        {
            throw new CannotRunException(exception.Message);
        }
    }

    /// <summary>Migrates and seeds.</summary>
    public async Task SeedAsync(SeedOptions options, TextWriter progress, CancellationToken cancellationToken)
    {
        await MigrateAsync(cancellationToken);
        await new Seeder(ConnectionString, options, progress).RunAsync(cancellationToken);
        // What the seeding has left to be written is no part of the measurement.
        await ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    /// <summary>Adds projects named <c>PREFIX-1</c> to <c>PREFIX-COUNT</c>, in the interview.</summary>
    public Task SeedProjectsAsync(string prefix, int count, CancellationToken cancellationToken) => ExecuteAsync(
        $"""
         INSERT INTO projects (id, name, slug, status, created_at)
         SELECT (lpad(to_hex(1700000000000 + i), 12, '0') || '70008' || substr(md5('{prefix}' || i), 1, 15))::uuid,
             'The {prefix} ' || i, '{prefix}-' || i, 'interviewing', now()
         FROM generate_series(1, {count.ToString(CultureInfo.InvariantCulture)}) i
         """, cancellationToken);

    /// <summary>Runs a statement without a result.</summary>
    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = Source.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs a statement and returns its first value.</summary>
    public async Task<T> QueryAsync<T>(string sql, CancellationToken cancellationToken)
    {
        await using var command = Source.CreateCommand(sql);
        command.CommandTimeout = 0;
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Runs a statement and returns its rows.</summary>
    /// <param name="sql">With <c>$1</c>, <c>$2</c> and so on for the values.</param>
    /// <param name="read">Reads the row that the reader is at.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="values">Of the statement.</param>
    public async Task<List<T>> ReadAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken, params IEnumerable<object> values)
    {
        await using var command = Source.CreateCommand(sql);
        command.CommandTimeout = 0;
        foreach (var value in values)
            command.Parameters.AddWithValue(value);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<T> rows = [];
        while (await reader.ReadAsync(cancellationToken))
            rows.Add(read(reader));
        return rows;
    }

    /// <summary>Waits until no job is left to do.</summary>
    public async Task ComeToRestAsync(CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        const string Live = "SELECT count(*) FROM hangfire.job WHERE statename IN ('Enqueued', 'Processing', 'Scheduled', 'Awaiting')";
        while (await QueryAsync<long>(Live, cancellationToken) > 0)
            await ticks.WaitForNextTickAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => Source.DisposeAsync();
}
