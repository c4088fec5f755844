using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using DataService.Benchmarks.Bench;
using DataService.Benchmarks.Seeding;
using DataService.Data;
using DataService.Jobs.Requeue;

namespace DataService.Benchmarks.Engine;

/// <summary>
/// Asks the lists, and the dashboard's page of the repositories, for their first, middle and last pages, with every kind of filter.
/// </summary>
internal static class ListsCommand
{
    private const double CreationsBar = 300;

    /// <summary>Before a re-run the page counts all that match, with their projects and jobs.</summary>
    private const double RequeueBar = 1_000;

    private const double ProjectsBar = 50;
    private const double OthersBar = 50;

    /// <summary>The filters of the creations: what is asked, and which creations <c>c</c> of projects <c>p</c> it names.</summary>
    private static readonly (string Query, string Where)[] Creations =
    [
        ("", "true"),
        ("state=failed", "c.state = 'failed'"),
        ("state=created", "c.state = 'created'"),
        ("code=GITHUB_FORBIDDEN", "c.state = 'failed' AND c.error_code = 'GITHUB_FORBIDDEN'"),
        ("code=GITHUB_NOT_FOUND,NONE", "c.state = 'failed' AND (c.error_code IS NULL OR c.error_code = 'GITHUB_NOT_FOUND')"),
        ("state=failed&since=200d&until=100d",
            "c.state = 'failed' AND c.updated_at >= now() - interval '200 days' AND c.updated_at < now() - interval '100 days'"),
        ("q=nothing-is-called-this", "false"),
        ("q=client", "p.slug LIKE '%client%'"),
        ("q=harbor", "p.slug LIKE '%harbor%'"),
        ("q=bright-harbor", "p.slug LIKE '%bright-harbor%'"),
        ("q=client-12345", "p.slug LIKE '%client-12345%'"),
        ("q=client-99", "p.slug LIKE '%client-99%'"),
        ("q=resource", "c.github_error ILIKE '%resource%' AND c.state = 'failed'"),
        ("q=not%20found", "c.github_error ILIKE '%not found%' AND c.state = 'failed'"),
        ("state=failed&q=client", "c.state = 'failed' AND p.slug LIKE '%client%'"),
        ("state=created&q=harbor", "c.state = 'created' AND p.slug LIKE '%harbor%'"),
        ("code=GITHUB_UNAUTHORIZED&q=resource", "false"),
        ("code=GITHUB_FORBIDDEN&since=300d&q=meadow",
            "c.state = 'failed' AND c.error_code = 'GITHUB_FORBIDDEN' AND c.updated_at >= now() - interval '300 days'"
            + " AND p.slug LIKE '%meadow%'"),
        ("state=created&until=350d&q=client-99", "false"),
    ];

    private static readonly string[] Projects =
    [
        "", "q=client", "q=harbor", "q=client-999", "q=nothing-is-called-this", "status=review", "status=active", "status=review&q=river",
    ];

    private static readonly string[] Others =
    [
        "/repo-creations/status", "/audit", "/audit?action=approve", "/audit?action=pause", "/audit?actor=alice@example.com",
        "/audit?actor=nobody", "/audit?slug={slug}", "/audit?since={recently}", "/audit?until={long ago}",
        "/audit?since={long ago}&until={less long ago}", "/audit?action=approve&actor=alice@example.com&until={long ago}",
        "/audit?action=pause&until={long ago}", "/projects/{slug}/timeline",
    ];

    public static Command Create()
    {
        const int Most = 10_000_000;
        var defaults = new SeedOptions();
        var failed = BenchmarkCommand.Number("--failed", "projects whose creation has failed", defaults.Failed, Most);
        var created = BenchmarkCommand.Number("--created", "projects that have their repository", defaults.Created, Most);
        var projects = BenchmarkCommand.Number("--projects", "projects for the list of projects", 100_000, Most, least: 10);
        var times = BenchmarkCommand.Number("--times", "how often each page is asked for", 20, 1_000);
        var seeded = new Option<bool>("--seeded")
        {
            Description = $"measure the creations of the database of {DataOptions.Variable}, which is seeded, and leave out the projects",
        };
        return BenchmarkCommand.Create(
            "lists", "The lists and the page of the repositories on a seeded database.", [failed, created, projects, times, seeded],
            async (arguments, bed, report, cancellationToken) =>
            {
                bed.HoldGitHub();
                var pages = new Pages(report, arguments.GetValue(times));
                if (arguments.GetValue(seeded))
                {
                    if (Environment.GetEnvironmentVariable(DataOptions.Variable) is not { Length: > 0 } given)
                        throw new CannotRunException($"{DataOptions.Variable} is not set");
                    await using var database = new BenchDatabase(given);
                    await CreationsAsync(bed, database, pages, cancellationToken);
                    return;
                }

                var creations = new SeedOptions { Failed = arguments.GetValue(failed), Created = arguments.GetValue(created) };
                await bed.Database.SeedAsync(creations, bed.Options.Progress, cancellationToken);
                await CreationsAsync(bed, bed.Database, pages, cancellationToken);
                await ProjectsAsync(bed, arguments.GetValue(projects), pages, cancellationToken);
            });
    }

    private static async Task CreationsAsync(Bed bed, BenchDatabase database, Pages pages, CancellationToken cancellationToken)
    {
        await using var service = await StartAsync(bed, "creations", database, cancellationToken);
        using var dashboard = await SignInAsync(service, cancellationToken);
        foreach (var (query, where) in Creations)
        {
            var others = await CursorsAsync(database, where, cancellationToken);
            await AskAsync(service.Http, $"/repo-creations?{query}", others);
            await AskAsync(dashboard, $"/hangfire/repositories?{query}", others);
        }

        const string Newest = "SELECT slug FROM projects ORDER BY created_at DESC LIMIT 1";
        if (await database.ReadAsync(Newest, row => row.GetString(0), cancellationToken) is not [var slug])
            throw new CannotRunException("the database is not seeded");
        foreach (var (page, bar) in ((string, double)[])
            [
                ("/hangfire", CreationsBar), ("/hangfire/repositories/{slug}", CreationsBar), ("/hangfire/requeue", RequeueBar),
                ("/hangfire/requeue?code=GITHUB_FORBIDDEN", RequeueBar),
            ])
            await pages.AskAsync(dashboard, page.Replace("{slug}", slug, StringComparison.Ordinal), "first", bar, cancellationToken, shown: page);
        foreach (var other in Others)
        {
            var address = other.Replace("{slug}", slug, StringComparison.Ordinal).Replace("{recently}", Ago(1), StringComparison.Ordinal)
                .Replace("{long ago}", Ago(300), StringComparison.Ordinal).Replace("{less long ago}", Ago(299), StringComparison.Ordinal);
            await pages.AskAsync(service.Http, address, "first", OthersBar, cancellationToken, shown: other);
        }

        async Task AskAsync(HttpClient http, string address, List<(string Page, string Cursor)> others)
        {
            await pages.AskAsync(http, address, "first", CreationsBar, cancellationToken);
            foreach (var (page, cursor) in others)
                await pages.AskAsync(http, $"{address}&cursor={cursor}", page, CreationsBar, cancellationToken, shown: address);
        }
    }

    private static async Task ProjectsAsync(Bed bed, int count, Pages pages, CancellationToken cancellationToken)
    {
        var database = await bed.CreateDatabaseAsync("projects", cancellationToken);
        var options = new SeedOptions { Failed = count / 10, Created = count - (count / 10) };
        await database.SeedAsync(options, bed.Options.Progress, cancellationToken);
        await using var service = await StartAsync(bed, "projects", database, cancellationToken);
        foreach (var query in Projects)
        {
            var (address, shown) = ($"/projects?limit=100&{query}", $"/projects?{query}");
            var total = await pages.AskAsync(service.Http, address, "first", ProjectsBar, cancellationToken, shown);
            if (total > 200)
                await pages.AskAsync(service.Http, $"{address}&offset={total - 100}", "last", ProjectsBar, cancellationToken, shown);
        }
    }

    private static Task<ServiceRun> StartAsync(Bed bed, string name, BenchDatabase database, CancellationToken cancellationToken) =>
        bed.StartAsync(new ServiceStart { Name = name, Environment = StandingStill.Settings }, cancellationToken, database);

    /// <summary>A person in the dashboard.</summary>
    private static async Task<HttpClient> SignInAsync(ServiceRun service, CancellationToken cancellationToken)
    {
        // Its cookie is for HTTPS only, and so is sent by hand.
        var handler = new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false };
        var http = new HttpClient(handler) { BaseAddress = service.Address, Timeout = service.Http.Timeout };
        using var form = new FormUrlEncodedContent([new("token", service.Token)]);
        using var answer = await http.PostAsync(new Uri("/hangfire/login", UriKind.Relative), form, cancellationToken);
        if (!answer.Headers.TryGetValues("Set-Cookie", out var cookies))
            throw new CannotRunException($"the dashboard's login answers {(int)answer.StatusCode} without a cookie");
        http.DefaultRequestHeaders.Add("Cookie", string.Join("; ", cookies.Select(cookie => cookie.Split(';')[0])));
        return http;
    }

    /// <summary>The places of the middle and the last page.</summary>
    private static async Task<List<(string Page, string Cursor)>> CursorsAsync(
        BenchDatabase database, string where, CancellationToken cancellationToken)
    {
        var cursors = await database.ReadAsync(
            $"""
             SELECT updated_at, project_id FROM (
                 SELECT c.updated_at, c.project_id, row_number() OVER (ORDER BY c.updated_at DESC, c.project_id DESC) AS i,
                     count(*) OVER () AS n
                 FROM repo_creations c JOIN projects p ON p.id = c.project_id WHERE {where}) c
             WHERE n > 200 AND (i = n / 2 OR i = n - 50) ORDER BY i
             """,
            row => new CreationCursor(row.GetDateTime(0), row.GetGuid(1)).ToString(), cancellationToken);
        return [.. cursors.Select((cursor, i) => (i is 0 ? "middle" : "last", cursor))];
    }

    private static string Ago(int days) => Uri.EscapeDataString(DateTime.UtcNow.AddDays(-days).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null));

    /// <summary>Asks for each page again and again.</summary>
    private sealed class Pages(Report report, int times)
    {
        /// <returns>The total, where the list tells one.</returns>
        /// <exception cref="CannotRunException">A page is not there.</exception>
        public async Task<int> AskAsync(
            HttpClient http, string address, string page, double bar, CancellationToken cancellationToken, string? shown = null)
        {
            var taken = new List<double>();
            var total = 0;
            var warmUp = Math.Min(2, times);
            for (var i = 0; i < warmUp + times; i++)
            {
                var clock = Stopwatch.StartNew();
                using var answer = await http.GetAsync(address, cancellationToken);
                var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
                var milliseconds = clock.Elapsed.TotalMilliseconds;
                if (!answer.IsSuccessStatusCode)
                    throw new CannotRunException($"{address} answers {(int)answer.StatusCode}");
                if (i >= warmUp)
                    taken.Add(milliseconds);
                total = Total(answer, body);
            }

            var (median, p95) = (Report.Median(taken), Report.Percentile(taken, 0.95));
            report.Below($"{page,-6} {shown ?? address}, p50 {median:0.0} ms, p95 in ms", p95, bar, "0.0");
            return total;
        }

        private static int Total(HttpResponseMessage answer, byte[] body)
        {
            if (answer.Content.Headers.ContentType?.MediaType is not "application/json")
                return 0;
            using var json = JsonDocument.Parse(body);
            return json.RootElement.TryGetProperty("pagination", out var pagination) ? pagination.GetProperty("total").GetInt32() : 0;
        }
    }
}
