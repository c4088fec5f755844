using System.Globalization;
using DataService.Tests.Support;
using Npgsql;
using Serilog.Events;

namespace DataService.Tests.Telemetry;

/// <summary>What is sent by OTLP of real approvals, their jobs and their calls to GitHub.</summary>
public sealed class TracesTests(TracedService traced) : IClassFixture<TracedService>
{
    private const string Approve = "POST /projects/{slug}/approve";
    private const string Requeue = "POST /repo-creations/requeue";
    private const int Served = 2;
    private const int Call = 3;
    private const int Job = 5;

    private RunningService Service => traced.Service;

    [Fact]
    public async Task One_trace_leads_from_the_approval_to_the_call_to_GitHub_and_into_the_log()
    {
        var trace = await TraceAsync(TracedService.Created, jobs: 1);

        var request = Assert.Single(trace, span => span.Kind is Served);
        var job = Assert.Single(trace, span => span.Kind is Job);
        var post = Assert.Single(
            trace, span => span.ParentId == job.SpanId && span.Attributes.GetValueOrDefault("http.request.method") is "POST");
        Assert.Equal(("process CreateProjectRepoJob", request.SpanId, false), (job.Name, job.ParentId, job.IsError));
        Assert.Equal((Call, "201"), (post.Kind, post.Attributes["http.response.status_code"]));
        Assert.EndsWith($"/orgs/{RunningService.Organization}/repos", post.Attributes["url.full"], StringComparison.Ordinal);
        // The statements are there too, below the request and below the job.
        Assert.Contains(trace, span => span.ParentId == request.SpanId && span.Attributes.ContainsKey("db.query.text"));
        Assert.Contains(trace, span => span.ParentId == job.SpanId && span.Attributes.ContainsKey("db.query.text"));

        Assert.Equal(request.TraceId, Line($"HTTP \"POST\" \"/projects/{TracedService.Created}/approve\"").TraceId.ToString());
        var created = Line("Created repository", TracedService.Created);
        Assert.Equal((request.TraceId, job.SpanId), (created.TraceId.ToString(), created.SpanId.ToString()));
    }

    [Fact]
    public async Task A_retry_goes_on_with_the_trace_of_the_approval()
    {
        var trace = await TraceAsync(TracedService.Retried, jobs: 2);

        var request = Assert.Single(trace, span => span.Kind is Served);
        var jobs = trace.Where(span => span.Kind is Job).ToList();
        Assert.All(jobs, job => Assert.Equal(request.SpanId, job.ParentId));
        var failed = Assert.Single(jobs, job => job.IsError);
        Assert.Equal("GITHUB_UNAVAILABLE", failed.Attributes["error.type"]);
        Assert.Equal(request.TraceId, Line("Creating the repository for", TracedService.Retried).TraceId.ToString());
    }

    [Fact]
    public async Task Creations_that_are_re_run_in_bulk_begin_traces_of_their_own_with_a_link_to_the_request()
    {
        var approval = await TraceAsync(TracedService.Failed, jobs: 1);
        Assert.Equal("GITHUB_FORBIDDEN", Assert.Single(approval, span => span.Kind is Job).Attributes["error.type"]);

        // By the log, which is this service's own: the requests of other tests' hosts are sent too.
        var bulk = Line("HTTP \"POST\" \"/repo-creations/requeue\"").TraceId.ToString();
        var (request, job) = await Eventually.ReturnsAsync(
            () =>
            {
                var spans = traced.Collector.Spans;
                return Task.FromResult((
                    spans.FirstOrDefault(span => span.Name == Requeue && span.TraceId == bulk), spans.FirstOrDefault(span => span.Kind is Job && span.LinkedTraces.Contains(bulk))));
            }, seen => seen is (not null, not null), "a job with a link to the bulk re-run");
        Assert.NotEqual(request!.TraceId, job!.TraceId);
        Assert.Equal("", job.ParentId);
    }

    [Fact]
    public async Task Probes_scrapes_polling_pages_and_idle_workers_make_no_traces()
    {
        await TraceAsync(TracedService.Failed, jobs: 1);

        var spans = traced.Collector.Spans;
        foreach (var path in (string[])["/metrics", "/health/live", "/health/ready", "/hangfire", "/hangfire/stats"])
            Assert.DoesNotContain(spans, span => span.Kind is Served && span.Attributes["url.path"] == path);
        // The tests' own statements come by other data sources.
        var statements = spans.Where(span => span.Attributes.GetValueOrDefault("db.npgsql.data_source") is "DataService").ToList();
        Assert.NotEmpty(statements);
        Assert.DoesNotContain(statements, span => span.ParentId is "");
    }

    [Fact]
    public async Task Metrics_are_sent_too()
    {
        var names = await Eventually.ReturnsAsync(
            () => Task.FromResult(traced.Collector.MetricNames), seen => seen.Contains("dataservice.creation.duration"),
            "the metrics to be sent");

        Assert.Contains("dataservice.approvals", names);
        Assert.Contains("http.server.request.duration", names);
    }

    [Fact]
    public async Task Nothing_that_is_sent_scraped_or_logged_holds_a_secret()
    {
        await TraceAsync(TracedService.Failed, jobs: 1);
        var scrape = await Scrape.OfAsync(Service);

        var password = new NpgsqlConnectionStringBuilder(Service.ConnectionString).Password!;
        Assert.NotEmpty(password);
        Assert.All(traced.Collector.Authorizations, header => Assert.Equal($"Bearer {TracedService.CollectorToken}", header));
        Assert.Contains(traced.Collector.Texts, text => text.Contains(TracedService.Created, StringComparison.Ordinal));
        foreach (var text in (string[])[.. traced.Collector.Texts, scrape.Text, Service.Logs.Text])
        {
            foreach (var secret in (string[])[RunningService.ApiToken, RunningService.GitHubToken, TracedService.CollectorToken, password])
                Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void GitHub_learns_nothing_of_the_traces() =>
        Assert.DoesNotContain(
            Service.GitHub.Requests.All, received => received.Headers.ContainsKey("traceparent") || received.Headers.ContainsKey("baggage"));

    /// <summary>The spans of the approval's trace, when the jobs in it have ended.</summary>
    private Task<IReadOnlyList<SentSpan>> TraceAsync(string slug, int jobs) => Eventually.ReturnsAsync(
        () =>
        {
            var spans = traced.Collector.Spans;
            var approval = spans.FirstOrDefault(span => span.Name == Approve && span.Attributes["url.path"] == $"/projects/{slug}/approve");
            return Task.FromResult<IReadOnlyList<SentSpan>>([.. spans.Where(span => span.TraceId == approval?.TraceId)]);
        },
        trace => trace.Count(span => span.Kind is Job) == jobs,
        $"the trace of {slug}'s approval");

    private LogEvent Line(string start, string? holds = null) => Service.Logs.Events.First(
        line => line.RenderMessage(CultureInfo.InvariantCulture) is var text && text.StartsWith(start, StringComparison.Ordinal)
            && text.Contains(holds ?? "", StringComparison.Ordinal));
}
