using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using DataService.Data;
using DataService.Tests.Support;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace DataService.Tests.Projects;

/// <summary>The list among many projects; what it shows of few is in <see cref="ProjectsTests"/>.</summary>
public sealed class ListProjectsTests(PostgresCluster cluster) : IAsyncLifetime
{
    private const int Projects = 20_000;

    /// <summary>Every twentieth.</summary>
    private const int Active = Projects / 20;

    private readonly SentCommands _sent = new();
    private RunningService? _service;

    private RunningService Service => _service ?? throw new InvalidOperationException("The service is not started.");

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartAsync(cluster, replace: services => services.ConfigureDbContext<DataServiceDbContext>(
            context => context.AddInterceptors(_sent)));
        // In no order of the table: a plan that reads it from the start would not do by luck.
        await Service.QueryAsync<object>(
            $"""
            INSERT INTO projects (id, name, slug, status, created_at)
            SELECT gen_random_uuid(), 'Client ' || md5(i::text) || ' No. ' || i, 'client-' || i,
                CASE WHEN i % 20 = 0 THEN 'active' ELSE 'review' END, timestamptz '2026-01-01Z' + i * interval '1 minute'
            FROM generate_series(1, {Projects}) i ORDER BY md5(i::text)
            """);
        await Service.QueryAsync<object>("VACUUM ANALYZE projects");
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
    }

    [Fact]
    public async Task Every_page_shows_what_its_place_holds()
    {
        (string Query, int Total, IEnumerable<int> Expected)[] pages =
        [
            ("limit=5", Projects, [20_000, 19_999, 19_998, 19_997, 19_996]),
            ("limit=4&offset=9997", Projects, [10_003, 10_002, 10_001, 10_000]),
            ("limit=4&offset=9998", Projects, [10_002, 10_001, 10_000, 9_999]),
            ("limit=4&offset=9999", Projects, [10_001, 10_000, 9_999, 9_998]),
            ("limit=3&offset=19996", Projects, [4, 3, 2]),
            ("limit=3&offset=19998", Projects, [2, 1]),
            ("limit=3&offset=20000", Projects, []),
            ("limit=3&status=active", Active, [20_000, 19_980, 19_960]),
            ("limit=3&offset=998&status=active", Active, [40, 20]),
            ("limit=2&q=CLIENT-1999", 11, [19_999, 19_998]),
            ("limit=2&offset=9&q=client-1999", 11, [19_990, 1_999]),
            ("limit=2&q=No.%201998&status=active", 1, [19_980]),
        ];

        await Assert.AllAsync(pages, async expected =>
        {
            var page = await ListAsync(expected.Query);
            var slugs = page.GetProperty("data").EnumerateArray().Select(project => project.GetProperty("slug").GetString());
            Assert.Equal(expected.Expected.Select(i => $"client-{i}"), slugs);
            Assert.Equal(expected.Total, page.GetProperty("pagination").GetProperty("total").GetInt32());
        });
    }

    [Fact]
    public async Task Every_page_comes_from_an_index_and_so_does_the_total_of_a_few()
    {
        string[] many = ["", "offset=19990", "offset=10000", "status=review", "status=review&offset=18990", "q=client"];
        string[] few = ["status=active", "status=active&offset=990", "q=client-1999", "q=client-1999&offset=10", "q=client-1998&status=active"];

        foreach (var query in (string[])[.. many, .. few])
        {
            var (total, page) = await PlansAsync(query);
            Assert.False(ReadsTheTable(page), $"The page of '{query}' comes from {page}");
            // To count most of the rows, the table is no worse than an index.
            if (few.Contains(query))
                Assert.False(ReadsTheTable(total), $"The total of '{query}' comes from {total}");
        }
    }

    [Fact]
    public async Task A_page_near_either_end_reads_little_more_than_itself()
    {
        foreach (var query in (string[])["", "offset=10", "offset=19990", "offset=19980", "status=active", "status=active&offset=990"])
        {
            var (_, page) = await PlansAsync(query);

            var scans = Nodes(page).Where(node => Text(node, "Relation Name") is "projects").ToList();
            Assert.NotEmpty(scans);
            Assert.All(scans, scan => Assert.InRange(scan.GetProperty("Actual Rows").GetDouble(), 10, 20));
        }
    }

    /// <summary>The plans of what the service asks of the projects, as it asks it.</summary>
    private async Task<(JsonElement Total, JsonElement Page)> PlansAsync(string query)
    {
        _sent.All.Clear();
        await ListAsync(query);
        var plans = new List<JsonElement>();
        await using var connection = new NpgsqlConnection(Service.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        foreach (var (sql, parameters) in _sent.All.Where(command => command.Sql.Contains("FROM projects", StringComparison.Ordinal)))
        {
            await using var explain = new NpgsqlCommand($"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", connection);
            explain.Parameters.AddRange(parameters);
            var text = (string)(await explain.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
            plans.Add(JsonDocument.Parse(text).RootElement[0].GetProperty("Plan"));
        }

        Assert.Equal(2, plans.Count);
        return (plans[0], plans[1]);
    }

    private static bool ReadsTheTable(JsonElement plan) => Nodes(plan).Any(node =>
        Text(node, "Node Type").EndsWith("Seq Scan", StringComparison.Ordinal) && Text(node, "Relation Name") is "projects");

    private static IEnumerable<JsonElement> Nodes(JsonElement plan) =>
        plan.TryGetProperty("Plans", out var below) ? [plan, .. below.EnumerateArray().SelectMany(Nodes)] : [plan];

    private static string Text(JsonElement node, string member) => node.TryGetProperty(member, out var value) ? value.GetString()! : "";

    private async Task<JsonElement> ListAsync(string query) =>
        await (await Service.Http.GetAsync($"/projects?{query}", TestContext.Current.CancellationToken)).ReadAsync(HttpStatusCode.OK);

    private sealed class SentCommands : DbCommandInterceptor
    {
        public ConcurrentQueue<(string Sql, NpgsqlParameter[] Parameters)> All { get; } = [];

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            All.Enqueue((command.CommandText, [.. command.Parameters.Cast<NpgsqlParameter>().Select(parameter => parameter.Clone())]));
            return ValueTask.FromResult(result);
        }
    }
}
