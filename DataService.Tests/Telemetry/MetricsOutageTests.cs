using System.Diagnostics;
using DataService.Tests.Support;
using Npgsql;

namespace DataService.Tests.Telemetry;

public sealed class MetricsOutageTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task A_database_that_hangs_or_is_away_holds_up_no_scrape_and_is_told()
    {
        await Scrape.ShowsAsync(Service, scrape => scrape["dataservice_database_up"] is 1, "the first figures");

        await using (var connection = new NpgsqlConnection(Service.ConnectionString))
        {
            await connection.OpenAsync(Cancelled);
            await using var transaction = await connection.BeginTransactionAsync(Cancelled);
            await using var command = new NpgsqlCommand("LOCK TABLE creation_pause IN ACCESS EXCLUSIVE MODE", connection, transaction);
            await command.ExecuteNonQueryAsync(Cancelled);
            await Eventually.ReturnsAsync(
                () => Service.QueryAsync<long>(
                    """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE wait_event_type = 'Lock' AND query LIKE '%creation.pending%' AND pid <> pg_backend_pid()
                    """),
                waiting => waiting > 0, "the reader to hang");

            var watch = Stopwatch.StartNew();
            Assert.Equal(0, (await Scrape.OfAsync(Service))["dataservice_queue_depth"]);
            Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        }

        // As a role that may no longer sign in: what is open is cut, and nothing new is opened.
        var name = new NpgsqlConnectionStringBuilder(Service.ConnectionString).Database;
        var elsewhere = new NpgsqlConnectionStringBuilder(Service.ConnectionString) { Database = "postgres", Pooling = false }.ToString();
        await PostgresCluster.QueryAsync<object>(elsewhere, $"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        try
        {
            var cut = $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'";
            await PostgresCluster.QueryAsync<object>(elsewhere, cut);
            var away = await Scrape.ShowsAsync(Service, scrape => scrape["dataservice_database_up"] is 0, "the outage to be told");
            Assert.Null(away["dataservice_queue_depth"]);
            Assert.Equal(0, away["dataservice_approvals_total"]);
        }
        finally
        {
            await PostgresCluster.QueryAsync<object>(elsewhere, $"ALTER DATABASE {name} ALLOW_CONNECTIONS true");
        }

        await Scrape.ShowsAsync(
            Service, scrape => scrape["dataservice_database_up"] is 1 && scrape["dataservice_queue_depth"] is 0, "the figures to be back");
    }
}
