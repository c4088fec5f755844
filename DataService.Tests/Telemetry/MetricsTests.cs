using System.Globalization;
using System.Net.Http.Headers;
using DataService.Domain;
using DataService.Telemetry;
using DataService.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Serilog.Events;

namespace DataService.Tests.Telemetry;

/// <summary>What is scraped of a service that has created a repository, failed to create another, and lets a third one wait.</summary>
public sealed class MetricsTests(MonitoredService monitored) : IClassFixture<MonitoredService>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private RunningService Service => monitored.Service;

    private Scrape Scrape => monitored.Scrape;

    [Fact]
    public void Approvals_and_what_became_of_them_are_counted()
    {
        Assert.Equal(3, Scrape["dataservice_approvals_total"]);
        foreach (var counter in (string[])["dataservice_creation_results_total", "dataservice_creation_attempts_total"])
        {
            Assert.Equal(1, Scrape[counter, ("result", "created")]);
            Assert.Equal(1, Scrape[counter, ("result", "failed"), ("error_type", "GITHUB_FORBIDDEN")]);
        }

        Assert.Equal(1, Scrape["dataservice_creation_duration_seconds_count"]);
        Assert.InRange(Scrape["dataservice_creation_duration_seconds_sum"]!.Value, 0.001, 300);
        // From half a second to a day, and not OpenTelemetry's default, which ends at 10,000 s.
        Assert.Equal(1, Scrape["dataservice_creation_duration_seconds_bucket", ("le", "86400")]);
        Assert.Equal(0, Scrape["dataservice_jobs_abandoned_total"]);
        Assert.Equal(0, Scrape["dataservice_creation_requeued_total"]);
    }

    [Fact]
    public void GitHubs_answers_are_counted_and_what_they_say_of_the_token_is_shown()
    {
        foreach (var status in (string[])["201", "403"])
        {
            (string, string)[] labels = [("operation", "create_repository"), ("http_response_status_code", status)];
            Assert.Equal(1, Scrape["dataservice_github_call_duration_seconds_count", labels]);
        }

        Assert.Equal(5_000, Scrape["dataservice_github_rate_limit_limit"]);
        Assert.InRange(Scrape["dataservice_github_rate_limit_remaining"]!.Value, 4_990, 4_999);
        Assert.InRange(Scrape["dataservice_github_rate_limit_reset_seconds"]!.Value, 1, 3_600);
        var expiry = TimeSpan.FromSeconds(Scrape["dataservice_github_token_expiry_seconds"]!.Value);
        Assert.InRange(expiry, TimeSpan.FromDays(89), TimeSpan.FromDays(90));
    }

    [Fact]
    public void What_all_instances_share_is_read_from_the_database()
    {
        Assert.Equal(1, Scrape["dataservice_database_up"]);
        Assert.Equal(1, Scrape["dataservice_hangfire_servers"]);
        Assert.Equal((1, 0, 0), (Pending("queued"), Pending("creating"), Pending("retrying")));
        Assert.Equal((1, 0), (By("dataservice_creation_waiting", "resume"), By("dataservice_creation_waiting", "budget")));
        Assert.Equal(1, Scrape["dataservice_creation_failed", ("error_type", "GITHUB_FORBIDDEN")]);
        Assert.Equal((1, 0), (By("dataservice_creation_paused", "person"), By("dataservice_creation_paused", "refusal")));
        Assert.Equal(48, Scrape["dataservice_github_budget_remaining", ("limit", "50/h")]);
        Assert.Equal(0, Scrape["dataservice_github_limited_seconds"]);
        // The job that waits for the resume is scheduled, and in nobody's way.
        Assert.Equal((0, 0), (Scrape["dataservice_queue_depth"], Scrape["dataservice_queue_age_seconds"]));
    }

    [Fact]
    public async Task A_job_that_no_worker_takes_makes_the_queue_deep_and_old()
    {
        await Service.QueryAsync<object>(
            """
            WITH job AS (
                INSERT INTO hangfire.job (invocationdata, arguments, createdat, statename)
                VALUES ('{}', '[]', now(), 'Enqueued') RETURNING id),
            state AS (
                INSERT INTO hangfire.state (jobid, name, createdat)
                SELECT id, 'Enqueued', now() - interval '1 hour' FROM job RETURNING id, jobid),
            queued AS (INSERT INTO hangfire.jobqueue (jobid, queue) SELECT id, 'nobody serves it' FROM job)
            SELECT 1
            """);
        await Service.QueryAsync<object>(
            "UPDATE hangfire.job SET stateid = state.id FROM hangfire.state WHERE state.jobid = job.id AND job.stateid IS NULL");

        var scrape = await Scrape.ShowsAsync(Service, scrape => scrape["dataservice_queue_depth"] is 1, "the queue to be deep");
        Assert.InRange(scrape["dataservice_queue_age_seconds"]!.Value, 3_600, 3_900);
    }

    [Fact]
    public void Requests_are_timed_by_route_and_those_of_machines_are_not()
    {
        Assert.Equal(3, Requests("/projects/{slug}/approve"));
        Assert.Equal(0, Requests("/metrics"));
        Assert.Equal(0, Requests("/health/live"));
        Assert.Equal(0, Requests("/health/ready"));
    }

    [Fact]
    public void No_label_has_a_value_for_each_project_or_request()
    {
        var own = Scrape.Samples.Where(sample => sample.Name.StartsWith("dataservice_", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(own);
        Assert.All(own.SelectMany(sample => sample.Labels.Keys), label =>
            Assert.Contains(label, (string[])["result", "error_type", "state", "reason", "limit", "operation", "http_response_status_code", "le"]));
        Assert.DoesNotContain("shop", Scrape.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_main_address_wants_a_token_for_the_metrics_and_a_viewers_will_do()
    {
        await (await Service.Anonymous.GetAsync("/metrics", Cancelled)).ReadProblemAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", MonitoredService.ViewerToken);
        Assert.Equal(HttpStatusCode.OK, (await Service.Anonymous.SendAsync(request, Cancelled)).StatusCode);
    }

    [Fact]
    public async Task An_address_of_their_own_serves_the_metrics_without_a_token_and_nothing_else()
    {
        var address = Assert.Single(Service.Services.GetServices<IHostedService>().OfType<MetricsListener>().Single().Addresses);

        var scrape = await Scrape.OfAsync(Service.Anonymous, $"{address}/metrics");
        Assert.Equal(3, scrape["dataservice_approvals_total"]);
        foreach (var path in (string[])["/", "/health/live", "/projects", "/hangfire", "/openapi/v1.json"])
            Assert.Equal(HttpStatusCode.NotFound, (await Service.Http.GetAsync($"{address}{path}", Cancelled)).StatusCode);
    }

    [Fact]
    public async Task Where_nobody_can_listen_for_scrapes_is_said_with_the_variable()
    {
        var taken = Service.Services.GetServices<IHostedService>().OfType<MetricsListener>().Single().Addresses.Single();
        var options = TelemetryOptions.From(new ConfigurationBuilder().AddInMemoryCollection([new("METRICS_URLS", taken)]).Build());
        var services = Service.Services;
        var second = new MetricsListener(options, services.GetRequiredService<MeterProvider>(), services.GetRequiredService<ILoggerFactory>());

        var exception = await Assert.ThrowsAsync<ConfigurationException>(() => second.StartAsync(Cancelled));

        Assert.StartsWith("METRICS_URLS ", exception.Message, StringComparison.Ordinal);
        await second.StopAsync(Cancelled);
    }

    [Fact]
    public void Without_an_address_to_send_to_nothing_is_recorded_and_the_log_bears_the_trace_all_the_same()
    {
        Assert.Null(Service.Services.GetService<TracerProvider>());
        var lines = Service.Logs.Events;
        var request = lines.Single(line => Text(line).StartsWith("HTTP \"POST\" \"/projects/created-shop/approve\"", StringComparison.Ordinal));
        var created = lines.Single(line => Text(line).StartsWith("Created repository", StringComparison.Ordinal));
        Assert.NotNull(request.TraceId);
        Assert.Equal(request.TraceId, created.TraceId);
        Assert.NotEqual(request.SpanId, created.SpanId);
    }

    private double? Pending(string state) => Scrape["dataservice_creation_pending", ("state", state)];

    private double? By(string name, string reason) => Scrape[name, ("reason", reason)];

    private double Requests(string route) => Scrape.Samples
        .Where(sample => sample.Name is "http_server_request_duration_seconds_count" && sample.Labels.GetValueOrDefault("http_route") == route)
        .Sum(sample => sample.Value);

    private static string Text(LogEvent line) => line.RenderMessage(CultureInfo.InvariantCulture);
}
