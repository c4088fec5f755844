using System.Text.Json;
using DataService.Data;
using DataService.Domain;
using DataService.Jobs.Requeue;
using DataService.Tests.Support;

namespace DataService.Tests.RepoCreations;

public sealed class ListRepoCreationsTests(PostgresCluster cluster) : IAsyncLifetime
{
    private RunningService? _service;

    private RunningService Service => _service ?? throw new InvalidOperationException("The service is not started.");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
    }

    [Fact]
    public async Task A_creation_shows_what_its_project_shows_of_it_with_slug_and_name()
    {
        var slug = Assert.Single(await Service.AddFailedAsync(1));
        var shown = (await Service.GetProjectAsync(slug)).GetProperty("repoCreation");

        var list = await ListAsync("");

        Assert.Equal(["data", "nextCursor", "countsByCode"], list.EnumerateObject().Select(member => member.Name));
        var row = Assert.Single(list.GetProperty("data").EnumerateArray());
        Assert.Equal(("failed-1", "The failed 1"), (row.GetProperty("slug").GetString(), row.GetProperty("name").GetString()));
        Assert.Equal(["slug", "name", .. shown.EnumerateObject().Select(member => member.Name)], row.EnumerateObject().Select(member => member.Name));
        Assert.All(shown.EnumerateObject(), member => Assert.Equal(member.Value.ToString(), row.GetProperty(member.Name).ToString()));
        Assert.Equal(JsonValueKind.Null, list.GetProperty("nextCursor").ValueKind);
        Assert.Equal(1, list.GetProperty("countsByCode").GetProperty("GITHUB_FORBIDDEN").GetInt32());
    }

    [Fact]
    public async Task Filters_say_which_and_counts_by_code_leave_states_and_codes_open()
    {
        await Service.AddFailedAsync(3, "GITHUB_FORBIDDEN", "forbidden");
        await Service.AddFailedAsync(2, "GITHUB_UNAVAILABLE", "unavailable");
        await ChangeAsync("state = 'retrying', next_attempt_at = now()", "unavailable-2");
        await ChangeAsync("error_code = NULL, github_error = 'The job was deleted in the dashboard.'", "forbidden-2");
        await ChangeAsync("updated_at = now() - interval '3 days'", "forbidden-3");
        await Service.ApproveAsync(await Service.CreateProjectAsync("Acme 100%"));

        (string Query, string[] Slugs)[] expected =
        [
            ("", ["acme-100", "forbidden-1", "forbidden-2", "forbidden-3", "unavailable-1", "unavailable-2"]),
            ("?state=failed", ["forbidden-1", "forbidden-2", "forbidden-3", "unavailable-1"]),
            ("?state=retrying,queued", ["acme-100", "unavailable-2"]),
            ("?state=retrying&state=QUEUED", ["acme-100", "unavailable-2"]),
            ("?state=created", []),
            ("?code=GITHUB_UNAVAILABLE", ["unavailable-1", "unavailable-2"]),
            ("?code=NONE", ["forbidden-2"]),
            ("?code=none&code=GITHUB_UNAVAILABLE&state=failed", ["forbidden-2", "unavailable-1"]),
            ("?state=queued&code=NONE", []),
            ("?since=2d&state=failed", ["forbidden-1", "forbidden-2", "unavailable-1"]),
            ("?until=2d", ["forbidden-3"]),
            ($"?until={Uri.EscapeDataString(DateTimeOffset.UtcNow.AddDays(-2).ToString("yyyy-MM-dd'T'HH:mm:sszzz", null))}", ["forbidden-3"]),
            ($"?since={DateTime.UtcNow.AddDays(-2):yyyy-MM-dd'T'HH:mm:ss.fffffff}Z&code=GITHUB_FORBIDDEN", ["forbidden-1"]),
            ("?q=100%25", ["acme-100"]),
            ("?q=THE%20FORB", ["forbidden-1", "forbidden-2", "forbidden-3"]),
            ("?q=the%20dashboard", ["forbidden-2"]),
            ("?q=a_me", []),
        ];
        foreach (var (query, slugs) in expected)
            Assert.Equal(slugs, Slugs(await ListAsync(query)).Order());

        Assert.Equal(
            [("GITHUB_FORBIDDEN", 2), ("GITHUB_UNAVAILABLE", 1), ("NONE", 1)],
            (await ListAsync("?state=created&code=INTERNAL")).GetProperty("countsByCode").EnumerateObject().Select(count => (count.Name, count.Value.GetInt32())).Order());
        Assert.Equal("""{"GITHUB_FORBIDDEN":1}""", (await ListAsync("?until=2d")).GetProperty("countsByCode").ToString());
        Assert.Equal("""{"NONE":1}""", (await ListAsync("?q=the%20dashboard")).GetProperty("countsByCode").ToString());
    }

    [Fact]
    public async Task Pages_show_each_creation_that_stays_as_it_is_once_whatever_changes_meanwhile()
    {
        await Service.AddFailedAsync(30);
        // Many of one moment: the id decides.
        await Service.QueryAsync<object>("UPDATE repo_creations SET updated_at = date_trunc('hour', updated_at) WHERE job_id::bigint % 2 = 0");

        var seen = new List<string>();
        var cursor = "";
        var page = 0;
        while (true)
        {
            var list = await ListAsync($"?limit=7&state=failed,queued{cursor}");
            seen.AddRange(Slugs(list));
            if (list.GetProperty("nextCursor").GetString() is not { } next)
                break;
            cursor = $"&cursor={next}";
            // One that was shown is requeued, one that is still to come changes, and new ones come.
            await ChangeAsync("state = 'queued', error_code = NULL, updated_at = now()", seen[^1]);
            await Service.AddFailedAsync(2, name: $"new{page++}");
            await Service.QueryAsync<object>($"UPDATE repo_creations SET updated_at = now() WHERE project_id IN (SELECT id FROM projects WHERE slug LIKE 'new%')");
        }

        Assert.Equal(Enumerable.Range(1, 30).Select(i => $"failed-{i}").Order(), seen.Order());
    }

    [Fact]
    public async Task The_order_is_by_the_last_change_and_the_limit_bounds_a_page()
    {
        await Service.AddFailedAsync(60);

        Assert.Equal(50, Slugs(await ListAsync("")).Count());
        var all = Slugs(await ListAsync("?limit=100")).ToList();
        Assert.Equal(Enumerable.Range(1, 60).Reverse().Select(i => $"failed-{i}"), all);
        var exact = await ListAsync("?limit=60");
        Assert.Equal(JsonValueKind.Null, exact.GetProperty("nextCursor").ValueKind);
    }

    [Fact]
    public async Task A_text_that_fits_very_many_finds_the_same_as_one_that_fits_few()
    {
        await Service.AddFailedAsync(5_200);
        await ChangeAsync("state = 'created', error_code = NULL, github_error = NULL", "failed-77");

        var many = await ListAsync("?q=the%20failed&limit=100");
        var told = await ListAsync("?q=not%20accessible&state=failed,created");
        var few = await ListAsync("?q=failed-77");

        Assert.Equal(5_199, many.GetProperty("countsByCode").GetProperty("GITHUB_FORBIDDEN").GetInt32());
        Assert.Equal(100, Slugs(many).Count());
        Assert.Equal(5_199, told.GetProperty("countsByCode").GetProperty("GITHUB_FORBIDDEN").GetInt32());
        Assert.Equal("failed-5200", Slugs(told).First());
        Assert.Equal(["failed-77", .. Enumerable.Range(770, 10).Select(i => $"failed-{i}")], Slugs(few).Order());
        Assert.Equal(10, few.GetProperty("countsByCode").GetProperty("GITHUB_FORBIDDEN").GetInt32());
    }

    [Fact]
    public async Task What_is_searched_follows_the_failure()
    {
        await Service.AddFailedAsync(2);

        await ChangeAsync("github_error = 'Bad CREDENTIALS'", "failed-1");
        Assert.Equal("failed-1\nthe failed 1 bad credentials", await TextAsync());
        await ChangeAsync("state = 'retrying', github_error = 'GitHub answered 502.'", "failed-1");
        Assert.Equal("failed-1\nthe failed 1 github answered 502.", await TextAsync());
        await ChangeAsync("state = 'queued', error_code = NULL, github_error = NULL", "failed-1");
        Assert.Equal("failed-1\nthe failed 1", await TextAsync());
        await ChangeAsync($"state = 'failed', github_error = repeat('Ü', 1001)", "failed-1");
        Assert.Equal($"failed-1\nthe failed 1 {new string('ü', 350)}", await TextAsync());

        Task<string?> TextAsync() => Service.QueryAsync<string>("SELECT concat_ws(' ', called, told) FROM repo_creations JOIN projects ON id = project_id WHERE slug = 'failed-1'");
    }

    [Fact]
    public async Task Pages_and_counts_of_a_text_that_fits_very_many_are_read_from_indexes_alone()
    {
        await Service.AddFailedAsync(3_500);
        await Service.QueryAsync<object>("UPDATE repo_creations SET state = 'created', error_code = NULL, github_error = NULL WHERE job_id::bigint % 2 = 0");
        await Service.QueryAsync<object>("VACUUM ANALYZE repo_creations");
        await Service.QueryAsync<object>("VACUUM ANALYZE projects");

        foreach (var state in (string[])["failed", "created"])
        {
            await using var scope = Service.Services.CreateAsyncScope();
            var sql = await FilterSql.PrepareAsync(scope.ServiceProvider.GetRequiredService<DataServiceDbContext>(), new CreationFilter { Text = "THE failed" }, Cancelled);
            var branch = sql.Branch(Enum.Parse<RepoCreationState>(state, ignoreCase: true));
            foreach (var query in (string[])[
                $"SELECT c.project_id, c.updated_at FROM {FilterBranch.From} WHERE {branch.Condition} ORDER BY c.updated_at DESC, c.project_id DESC LIMIT 51",
                $"SELECT count(*) FROM {FilterBranch.From} WHERE {branch.Condition}"])
            {
                await using var connection = new Npgsql.NpgsqlConnection(Service.ConnectionString);
                await connection.OpenAsync(Cancelled);
                // Among so few rows the table would do as well.
                await using (var few = new Npgsql.NpgsqlCommand("SET enable_seqscan = off; SET enable_bitmapscan = off", connection))
                    await few.ExecuteNonQueryAsync(Cancelled);
                await using var explain = new Npgsql.NpgsqlCommand($"EXPLAIN {query}", connection);
                explain.Parameters.AddRange(sql.Parameters());
                await using var plan = await explain.ExecuteReaderAsync(Cancelled);
                var lines = new List<string>();
                while (await plan.ReadAsync(Cancelled))
                    lines.Add(plan.GetString(0));
                Assert.True(lines.Exists(line => line.Contains("Index Only Scan", StringComparison.Ordinal)), string.Join('\n', lines));
            }
        }
    }

    [Fact]
    public async Task Groups_have_their_first_and_latest_time()
    {
        await Service.AddFailedAsync(3);
        await Service.AddFailedAsync(5, "INTERNAL", "internal");
        await ChangeAsync("updated_at = '2026-01-05T09:30:00Z'", "failed-2");
        await ChangeAsync("updated_at = '2026-02-05T09:30:00Z'", "failed-3");
        await ChangeAsync("updated_at = '2026-01-15T09:30:00Z'", "failed-1");

        await using var scope = Service.Services.CreateAsyncScope();
        var groups = await scope.ServiceProvider.GetRequiredService<CreationSearch>().GroupsAsync(new CreationFilter(), Cancelled);

        Assert.Equal([("INTERNAL", 5), ("GITHUB_FORBIDDEN", 3)], groups.Select(group => (group.Code, group.Count)));
        Assert.Equal((new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc), new DateTime(2026, 2, 5, 9, 30, 0, DateTimeKind.Utc)), (groups[1].FirstAt, groups[1].LatestAt));
    }

    [Theory]
    [InlineData("state=broken", "state")]
    [InlineData("state=failed&state=broken", "state")]
    [InlineData("code=GITHUB_TEAPOT", "code")]
    [InlineData("since=yesterday", "since")]
    [InlineData("since=2026-01-05", "since")]
    [InlineData("since=2026-01-05T09:30:00", "since")]
    [InlineData("since=-2h", "since")]
    [InlineData("until=2026-13-05T09:30:00Z", "until")]
    [InlineData("q=ab", "q")]
    [InlineData("q=a%00bc", "q")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=many", "limit")]
    [InlineData("cursor=garbage", "cursor")]
    [InlineData("cursor=%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4%C3%A4", "cursor")]
    [InlineData("cursor=________________________________", "cursor")]
    public async Task What_does_not_fit_is_refused_by_its_name(string query, string field) =>
        await (await Service.Http.GetAsync($"/repo-creations?{query}", Cancelled)).ReadInvalidAsync(field);

    private static IEnumerable<string> Slugs(JsonElement list) => list.GetProperty("data").EnumerateArray().Select(row => row.GetProperty("slug").GetString()!);

    private async Task<JsonElement> ListAsync(string query) => await (await Service.Http.GetAsync($"/repo-creations{query}", Cancelled)).ReadAsync(HttpStatusCode.OK);

    private Task<object?> ChangeAsync(string change, string slug) =>
        Service.QueryAsync<object>($"UPDATE repo_creations SET {change} WHERE project_id = (SELECT id FROM projects WHERE slug = '{slug}')");
}
