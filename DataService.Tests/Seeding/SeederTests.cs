using System.Text.Json;
using DataService.Benchmarks.Seeding;
using DataService.Tests.Support;
using Npgsql;

namespace DataService.Tests.Seeding;

public sealed class SeederTests(PostgresCluster cluster)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_seeded_is_listed_told_and_run_again_as_if_the_service_had_written_it()
    {
        var database = await cluster.CreateDatabaseAsync();
        var schema = await SchemaAsync(database);
        await SeedAsync(database, failed: 200, created: 300);
        Assert.Equal(schema, await SchemaAsync(database));
        await SeedAsync(database, failed: 10, created: 0, add: true);
        await using var service = await RunningService.StartAsync(cluster, new() { ["ConnectionStrings:DataService"] = database });

        var list = await ReadAsync(service, "/repo-creations?state=failed");
        Assert.Equal(210, list.GetProperty("countsByCode").EnumerateObject().Sum(count => count.Value.GetInt32()));
        Assert.Equal(510, (await ReadAsync(service, "/projects")).GetProperty("pagination").GetProperty("total").GetInt32());
        var slug = list.GetProperty("data")[0].GetProperty("slug").GetString()!;
        Assert.Equal(
            ["approve", "enqueued", "attempt_started", "failed"],
            (await ReadAsync(service, $"/projects/{slug}/timeline")).GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("kind").GetString()));
        Assert.Equal(0L, await PostgresCluster.QueryAsync<long>(
            database, "SELECT count(*) FROM hangfire.job j LEFT JOIN hangfire.state s ON s.id = j.stateid AND s.jobid = j.id AND s.name = j.statename WHERE s.id IS NULL"));

        var answer = await (await service.Http.PostAsJsonAsync("/repo-creations/requeue", new { slugs = (string[])[slug] }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        Assert.Equal(1, answer.GetProperty("requeued").GetInt32());
        Assert.Equal($"auditmos-projects/{slug}", (await service.CreationReachesAsync(slug, "created")).GetProperty("githubRepo").GetString());
    }

    [Fact]
    public async Task A_database_that_holds_projects_is_left_alone_unless_it_is_asked_for()
    {
        var database = await cluster.CreateDatabaseAsync();
        await PostgresCluster.QueryAsync<object>(
            database, "INSERT INTO projects (id, name, slug, status, created_at) VALUES (gen_random_uuid(), 'Acme', 'acme', 'review', now())");

        var refused = await Assert.ThrowsAsync<NotSeededException>(() => SeedAsync(database, failed: 1, created: 1));

        Assert.Contains("--add", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1L, await PostgresCluster.QueryAsync<long>(database, "SELECT count(*) FROM projects"));
    }

    [Fact]
    public async Task A_database_without_tables_is_refused() =>
        Assert.Contains("migrate", (await Assert.ThrowsAsync<NotSeededException>(async () => await SeedAsync(await cluster.CreateEmptyDatabaseAsync(), 1, 1))).Message, StringComparison.Ordinal);

    private static Task SeedAsync(string database, int failed, int created, bool add = false) =>
        new Seeder(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString, new() { Failed = failed, Created = created, Add = add }, TextWriter.Null).RunAsync(Cancelled);

    /// <summary>
    /// Indexes and constraints. PostgreSQL spells the list of a condition otherwise once it has read its own spelling of it: the words count.
    /// </summary>
    private static Task<string?> SchemaAsync(string database) => PostgresCluster.QueryAsync<string>(
        database,
        """
        SELECT (SELECT string_agg(regexp_replace(indexdef, '::[a-z ]+(\[\])?|[()]', '', 'g'), ';' ORDER BY indexname) FROM pg_indexes WHERE schemaname IN ('public', 'hangfire'))
            || (SELECT string_agg(conrelid::regclass || conname || pg_get_constraintdef(oid), ';' ORDER BY conrelid, conname) FROM pg_constraint)
        """);

    private static async Task<JsonElement> ReadAsync(RunningService service, string address) => await (await service.Http.GetAsync(address, Cancelled)).ReadAsync(HttpStatusCode.OK);
}
