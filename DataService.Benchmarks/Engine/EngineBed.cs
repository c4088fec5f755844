using DataService.Benchmarks.Seeding;
using DataService.Data;
using Npgsql;

namespace DataService.Benchmarks.Engine;

/// <summary>A PostgreSQL of the run's own, which writes to the disk as one in production does; gone with the run.</summary>
internal sealed class EngineBed : IAsyncDisposable
{
    private readonly string _folder;
    private readonly EmbeddedPostgres _postgres;

    private EngineBed(string folder, EmbeddedPostgres postgres) => (_folder, _postgres) = (folder, postgres);

    public static async Task<EngineBed> MakeAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("dataservice-engine-").FullName;
        try
        {
            // Where this runs as root, PostgreSQL's user passes through here.
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(folder, (UnixFileMode)Convert.ToInt32("711", 8));
            return new EngineBed(folder, await EmbeddedPostgres.StartAsync(Path.Combine(folder, "postgres"), null, cancellationToken));
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>A migrated and seeded database.</summary>
    public async Task<string> DatabaseAsync(string name, SeedOptions options, TextWriter progress, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(_postgres.ConnectionString);
        await using (var create = source.CreateCommand($"CREATE DATABASE {name}"))
            await create.ExecuteNonQueryAsync(cancellationToken);
        var database = new NpgsqlConnectionStringBuilder(_postgres.ConnectionString) { Database = name }.ConnectionString;
        await ServiceProgram.MigrateAsync(database, cancellationToken);
        await new Seeder(database, options, progress).RunAsync(cancellationToken);
        // What the seeding has left to be written is no part of the measurement.
        await using var checkpoint = source.CreateCommand("CHECKPOINT");
        checkpoint.CommandTimeout = 0;
        await checkpoint.ExecuteNonQueryAsync(cancellationToken);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await _postgres.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
