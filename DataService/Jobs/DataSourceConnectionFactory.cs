using Hangfire.PostgreSql;
using Npgsql;

namespace DataService.Jobs;

/// <summary>Lets Hangfire's servers take connections from the pool that EF uses.</summary>
internal sealed class DataSourceConnectionFactory(NpgsqlDataSource dataSource) : IConnectionFactory
{
    public NpgsqlConnection GetOrCreateConnection() => dataSource.CreateConnection();
}
