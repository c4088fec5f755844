using DataService.Domain;
using Hangfire.PostgreSql;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Data;

/// <summary>Brings the database to the version that this build needs: our tables by EF's migrations, Hangfire's by its own installer.</summary>
internal sealed partial class DatabaseMigration(NpgsqlDataSource dataSource, IServiceScopeFactory scopes, ILogger<DatabaseMigration> logger)
{
    public const string HangfireSchema = "hangfire";

    /// <summary>Any number will do; it must only never change, or two versions of the service would migrate at once.</summary>
    internal const long LockKey = 0x_44_61_74_61_53_72_76;

    /// <summary>Applies what is missing. Several instances may call it at once: one works, the others wait for it.</summary>
    /// <exception cref="ConfigurationException">The database cannot be reached, refuses the login, or goes away meanwhile.</exception>
    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        try
        {
            await MigrateAsync(cancellationToken);
        }
        catch (Exception exception) when (DatabaseOutage.IsCauseOf(exception))
        {
            throw new ConfigurationException(DataOptions.Variable, $"leads to a database that went away during the migration: {exception.GetBaseException().Message}");
        }
    }

    private async Task MigrateAsync(CancellationToken cancellationToken)
    {
        await using var session = await OpenAsync(cancellationToken);
        // Held by the session: it goes with the connection, should the process die here.
        await using (var acquire = new NpgsqlCommand("SELECT pg_advisory_lock($1)", session) { Parameters = { new() { Value = LockKey } }, CommandTimeout = 0 })
            await acquire.ExecuteNonQueryAsync(cancellationToken);

        await using var scope = scopes.CreateAsyncScope();
        var database = scope.ServiceProvider.GetRequiredService<DataServiceDbContext>().Database;
        var pending = (await database.GetPendingMigrationsAsync(cancellationToken)).ToList();
        // It would build the whole model once more, to compare it with the last migration.
        if (pending.Count > 0)
            await database.MigrateAsync(cancellationToken);
        await using (var connection = await dataSource.OpenConnectionAsync(cancellationToken))
            PostgreSqlObjectsInstaller.Install(connection, HangfireSchema);
        LogApplied(pending.Count);

        await using var release = new NpgsqlCommand("SELECT pg_advisory_unlock($1)", session) { Parameters = { new() { Value = LockKey } } };
        await release.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await dataSource.OpenConnectionAsync(cancellationToken);
        }
        catch (NpgsqlException exception)
        {
            throw new ConfigurationException(DataOptions.Variable, $"leads to no usable database: {exception.Message}");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Database is up to date, {Applied} migrations applied now")]
    private partial void LogApplied(int applied);
}
