using System.CommandLine;
using System.Diagnostics;
using DataService.Benchmarks.Seeding;
using DataService.Jobs.Requeue;
using Npgsql;

namespace DataService.Benchmarks.Engine;

/// <summary>Asks the lists for their first, middle and last pages, with every kind of filter, over HTTP.</summary>
internal static class ListsCommand
{
    private const int Warmups = 2;
    private const double CreationsBar = 300;
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
        ("state=failed&since=200d&until=100d", "c.state = 'failed' AND c.updated_at >= now() - interval '200 days' AND c.updated_at < now() - interval '100 days'"),
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
        ("code=GITHUB_FORBIDDEN&since=300d&q=meadow", "c.state = 'failed' AND c.error_code = 'GITHUB_FORBIDDEN' AND c.updated_at >= now() - interval '300 days' AND p.slug LIKE '%meadow%'"),
        ("state=created&until=350d&q=client-99", "false"),
    ];

    private static readonly string[] Projects = ["", "q=client", "q=harbor", "q=client-999", "q=nothing-is-called-this", "status=review", "status=active", "status=review&q=river"];

    private static readonly string[] Others =
    [
        "/repo-creations/status", "/audit", "/audit?action=approve", "/audit?action=pause", "/audit?actor=alice@example.com", "/audit?actor=nobody", "/audit?slug={slug}",
        "/audit?since={recently}", "/audit?until={long ago}", "/audit?since={long ago}&until={less long ago}", "/audit?action=approve&actor=alice@example.com&until={long ago}",
        "/audit?action=pause&until={long ago}", "/projects/{slug}/timeline",
    ];

    public static Command Create()
    {
        var defaults = new SeedOptions();
        var failed = MeasureCommand.Number("--failed", "projects whose creation has failed", defaults.Failed);
        var created = MeasureCommand.Number("--created", "projects that have their repository", defaults.Created);
        var projects = MeasureCommand.Number("--projects", "projects for the list of projects", 100_000);
        var times = MeasureCommand.Number("--times", "how often each page is asked for", 20);
        var environment = new Option<bool>("--seeded")
        {
            Description = "measure the creations of the database of ConnectionStrings__DataService, which is migrated and seeded, and leave out the projects",
        };
        return MeasureCommand.Create(
            "lists", "Measures the lists on a seeded database.", [failed, created, projects, times, environment],
            async (arguments, output, error, cancellationToken) =>
            {
                var asked = new Asked(output, arguments.GetValue(times));
                if (arguments.GetValue(environment))
                {
                    var given = Environment.GetEnvironmentVariable(Data.DataOptions.Variable) is { Length: > 0 } text ? text : throw new CannotMeasureException($"{Data.DataOptions.Variable} is not set.");
                    await CreationsAsync(given, asked, cancellationToken);
                    return asked.AllReached;
                }

                await using var bed = await EngineBed.MakeAsync(cancellationToken);
                var seeded = new SeedOptions { Failed = arguments.GetValue(failed), Created = arguments.GetValue(created) };
                await CreationsAsync(await bed.DatabaseAsync("creations", seeded, error, cancellationToken), asked, cancellationToken);
                var number = arguments.GetValue(projects);
                await ProjectsAsync(
                    await bed.DatabaseAsync("projects", new SeedOptions { Failed = number / 10, Created = number - (number / 10) }, error, cancellationToken), asked, cancellationToken);
                return asked.AllReached;
            });
    }

    private static async Task CreationsAsync(string database, Asked asked, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var service = await ServiceProgram.StartAsync(database, cancellationToken);
        foreach (var (query, where) in Creations)
        {
            await asked.ForAsync(service.Http, $"/repo-creations?{query}", "first", CreationsBar, cancellationToken);
            foreach (var (page, cursor) in await CursorsAsync(source, where, cancellationToken))
                await asked.ForAsync(service.Http, $"/repo-creations?{query}&cursor={cursor}", page, CreationsBar, cancellationToken, shown: $"/repo-creations?{query}");
        }

        await using var any = source.CreateCommand("SELECT slug FROM projects ORDER BY created_at DESC LIMIT 1");
        var slug = (string)(await any.ExecuteScalarAsync(cancellationToken) ?? throw new CannotMeasureException("The database is not seeded."));
        foreach (var other in Others)
        {
            var address = other.Replace("{slug}", slug, StringComparison.Ordinal).Replace("{recently}", Ago(1), StringComparison.Ordinal)
                .Replace("{long ago}", Ago(300), StringComparison.Ordinal).Replace("{less long ago}", Ago(299), StringComparison.Ordinal);
            await asked.ForAsync(service.Http, address, "first", OthersBar, cancellationToken, shown: other);
        }
    }

    private static async Task ProjectsAsync(string database, Asked asked, CancellationToken cancellationToken)
    {
        await using var service = await ServiceProgram.StartAsync(database, cancellationToken);
        foreach (var query in Projects)
        {
            var total = await asked.ForAsync(service.Http, $"/projects?limit=100&{query}", "first", ProjectsBar, cancellationToken, shown: $"/projects?{query}");
            if (total > 200)
            {
                await asked.ForAsync(
                    service.Http, $"/projects?limit=100&offset={total - 100}&{query}", "last", ProjectsBar, cancellationToken, shown: $"/projects?{query}");
            }
        }
    }

    /// <summary>The places of the middle and the last page.</summary>
    private static async Task<List<(string Page, string Cursor)>> CursorsAsync(NpgsqlDataSource source, string where, CancellationToken cancellationToken)
    {
        await using var command = source.CreateCommand(
            $"""
             SELECT updated_at, project_id FROM (
                 SELECT c.updated_at, c.project_id, row_number() OVER (ORDER BY c.updated_at DESC, c.project_id DESC) AS i, count(*) OVER () AS n
                 FROM repo_creations c JOIN projects p ON p.id = c.project_id WHERE {where}) c
             WHERE n > 200 AND (i = n / 2 OR i = n - 50) ORDER BY i
             """);
        command.CommandTimeout = 0;
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<(string, string)> cursors = [];
        while (await rows.ReadAsync(cancellationToken))
            cursors.Add((cursors.Count is 0 ? "middle" : "last", new CreationCursor(rows.GetDateTime(0), rows.GetGuid(1)).ToString()));
        return cursors;
    }

    private static string Ago(int days) => Uri.EscapeDataString(DateTime.UtcNow.AddDays(-days).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null));

    private sealed class Asked(TextWriter output, int times)
    {
        public bool AllReached { get; private set; } = true;

        /// <returns>The total, where the list tells one.</returns>
        public async Task<int> ForAsync(HttpClient http, string address, string page, double bar, CancellationToken cancellationToken, string? shown = null)
        {
            var taken = new List<double>();
            var total = 0;
            for (var i = 0; i < Warmups + times; i++)
            {
                var clock = Stopwatch.StartNew();
                using var answer = await http.GetAsync(address, cancellationToken);
                var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
                var milliseconds = clock.Elapsed.TotalMilliseconds;
                if (!answer.IsSuccessStatusCode)
                    throw new CannotMeasureException($"{address} answers {(int)answer.StatusCode}.");
                if (i >= Warmups)
                    taken.Add(milliseconds);
                using var json = System.Text.Json.JsonDocument.Parse(body);
                if (json.RootElement.TryGetProperty("pagination", out var pagination))
                    total = pagination.GetProperty("total").GetInt32();
            }

            taken.Sort();
            var (median, p95) = (taken[(taken.Count - 1) / 2], taken[(int)Math.Ceiling(0.95 * taken.Count) - 1]);
            AllReached &= p95 < bar;
            await output.WriteLineAsync(MeasureCommand.Text($"p50 {median,7:0.0}  p95 {p95,7:0.0} ms  {p95 / bar,5:0.00} of the bar {bar:0}{(p95 < bar ? "" : "  NOT reached")}  {page,-6} {shown ?? address}"));
            return total;
        }
    }
}
