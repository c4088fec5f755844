using System.Text.Json;
using DataService.Domain;
using DataService.Tests.Support;

namespace DataService.Tests.Auditing;

public sealed class ListAuditTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private static readonly string[] Members = ["id", "at", "actor", "origin", "action", "projectId", "slug", "count", "reason", "detail", "requestId"];

    [Fact]
    public async Task An_entry_has_all_its_members()
    {
        await AddAsync(1);

        Assert.Equal(Members, Assert.Single((await ReadAsync("")).Data).EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public async Task Pages_hold_every_entry_once_newest_first_whatever_is_added_meanwhile()
    {
        await AddAsync(25);
        var seen = new List<long>();
        var sizes = new List<int>();
        for (var cursor = ""; ;)
        {
            var (data, next) = await ReadAsync($"?limit=10&cursor={cursor}");
            seen.AddRange(data.Select(entry => entry.GetProperty("id").GetInt64()));
            sizes.Add(data.Count);
            await AddAsync(1);
            if (next is null)
                break;
            cursor = next;
        }

        Assert.Equal([10, 10, 5], sizes);
        Assert.Equal(Enumerable.Range(1, 25).Select(id => (long)id).Reverse(), seen);
    }

    [Fact]
    public async Task A_page_that_ends_with_the_last_entry_leads_nowhere()
    {
        await AddAsync(10);

        Assert.Null((await ReadAsync("?limit=10")).Next);
    }

    [Fact]
    public async Task There_are_fifty_entries_on_a_page_unless_told_otherwise()
    {
        await AddAsync(51);

        var (data, next) = await ReadAsync("");

        Assert.Equal(50, data.Count);
        Assert.NotNull(next);
    }

    [Fact]
    public async Task Filters_leave_what_fits_all_of_them()
    {
        await Service.QueryAsync<int>(
            """
            INSERT INTO audit_entries (at, actor, origin, action, slug, count) VALUES
                ('2026-01-01Z', 'alice', 'rest', 'approve', 'acme', 1), ('2026-01-02Z', 'alice', 'rest', 'approve', 'acme', 1),
                ('2026-01-03Z', 'bob', 'rest', 'choose_repository', 'acme', 1), ('2026-01-04Z', 'alice', 'rest', 'pause', NULL, 1),
                ('2026-01-05Z', 'service', 'service', 'pause', NULL, 1), ('2026-01-06Z', 'bob', 'dashboard', 'retry_job', 'other', 1)
            """);
        (string Query, string Ids)[] expected =
        [
            ("", "6 5 4 3 2 1"),
            ("?action=pause", "5 4"),
            ("?action=choose_repository", "3"),
            ("?actor=alice", "4 2 1"),
            ("?slug=acme", "3 2 1"),
            ("?actor=alice&slug=acme", "2 1"),
            ("?since=2026-01-05T00:00:00Z", "6 5"),
            ("?until=2026-01-03T00:00:00Z", "2 1"),
            ("?since=2026-01-02T00:00:00Z&until=2026-01-04T00:00:00Z", "3 2"),
            ("?since=2026-01-05T02:00:00%2B02:00", "6 5"),
            ("?since=9999d&until=2026-01-02T00:00:00Z", "1"),
            ("?since=1h", ""),
            ("?actor=nobody", ""),
        ];

        var actual = new List<(string, string)>();
        foreach (var (query, _) in expected)
            actual.Add((query, string.Join(' ', (await ReadAsync(query)).Data.Select(entry => entry.GetProperty("id").GetInt64()))));

        Assert.Equal(expected, actual);
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_by_its_name()
    {
        string[] unfit =
        [
            "action=approved", "action=Approve", "limit=0", "limit=101", "since=yesterday", "since=2026-01-05", "since=2026-01-05T00:00:00", "until=2026-13-01", "cursor=nonsense", "cursor=AAAA", "cursor=AAAAAAAAAAE%00",
            "actor=a%00b", "slug=a%00b",
        ];

        foreach (var query in unfit)
            await (await Service.Http.GetAsync($"/audit?{query}", Cancelled)).ReadInvalidAsync(query.Split('=')[0]);
    }

    [Fact]
    public async Task Every_action_can_be_asked_for()
    {
        Assert.Contains("choose_repository", Words<AuditAction>.All);
        foreach (var action in Words<AuditAction>.All)
        {
            await Service.QueryAsync<int>($"INSERT INTO audit_entries (at, actor, origin, action, count) VALUES (now(), 'a', 'rest', '{action}', 1)");
            Assert.Equal(action, Assert.Single((await ReadAsync($"?action={action}")).Data).GetProperty("action").GetString());
        }
    }

    private async Task<(IReadOnlyList<JsonElement> Data, string? Next)> ReadAsync(string query)
    {
        var page = await (await Service.Http.GetAsync($"/audit{query}", Cancelled)).ReadAsync(HttpStatusCode.OK);
        return ([.. page.GetProperty("data").EnumerateArray()], page.GetProperty("nextCursor").GetString());
    }

    private Task<int> AddAsync(int count) => Service.QueryAsync<int>(
        $"INSERT INTO audit_entries (at, actor, origin, action, count) SELECT now(), 'alice', 'rest', 'approve', 1 FROM generate_series(1, {count})");
}
