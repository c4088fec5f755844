using DataService.Tests.Support;

namespace DataService.Tests.Http;

public sealed class SecurityHeadersTests(PostgresCluster cluster, Browser browser) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    [Fact]
    public async Task Every_answer_of_the_API_forbids_sniffing_referrers_frames_content_and_storing()
    {
        await Service.CreateProjectAsync("Acme");
        (HttpClient Client, string Path, HttpStatusCode Status)[] calls =
        [
            (Service.Http, "/projects/acme", HttpStatusCode.OK),
            (Service.Http, "/projects/nobody", HttpStatusCode.NotFound),
            (Service.Http, "/nowhere", HttpStatusCode.NotFound),
            (Service.Http, "/projects?limit=0", HttpStatusCode.BadRequest),
            (Service.Http, "/projects?limit=x", HttpStatusCode.BadRequest),
            (Service.Anonymous, "/projects", HttpStatusCode.Unauthorized),
            (Service.Anonymous, "/health/live", HttpStatusCode.OK),
            (Service.Anonymous, "/openapi/v1.json", HttpStatusCode.OK),
        ];

        await Assert.AllAsync(calls, async call =>
        {
            var response = await call.Client.GetAsync(call.Path, Cancelled);
            Assert.Equal(call.Status, response.StatusCode);
            AssertForbidding(response);
        });

        await Service.QueryAsync<object>("DROP TABLE projects CASCADE");
        var failed = await Service.Http.GetAsync("/projects", Cancelled);
        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);
        AssertForbidding(failed);
    }

    [Fact]
    public async Task No_answer_names_the_server()
    {
        var response = await Service.Http.GetAsync("/projects", Cancelled);

        Assert.Null(Header(response, "Server"));
        Assert.Null(Header(response, "X-Powered-By"));
    }

    [Fact]
    public async Task The_login_and_the_dashboard_have_policies_of_their_own()
    {
        var login = await Service.Anonymous.GetAsync("/hangfire/login", Cancelled);
        var refused = await Service.Anonymous.PostAsync("/hangfire/login", null, Cancelled);

        foreach (var response in (HttpResponseMessage[])[login, refused])
        {
            Assert.Contains("script-src 'self'", Header(response, "Content-Security-Policy"), StringComparison.Ordinal);
            Assert.Equal(("nosniff", "no-referrer", "no-store"), (Header(response, "X-Content-Type-Options"), Header(response, "Referrer-Policy"), Header(response, "Cache-Control")));
        }
    }

    [Fact]
    public async Task The_pages_of_the_dashboard_load_and_run_under_their_policy()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        var job = (await Service.CreationReachesAsync(slug, "created")).GetProperty("repoCreation").GetProperty("jobId").GetString();
        var page = await browser.OpenAsync(Service);
        var complaints = page.Complaints();

        await page.GotoAsync($"/hangfire/login#token={RunningService.ApiToken}");
        await page.ArrivesAsync("**/hangfire");
        foreach (var path in (string[])["", "/jobs/succeeded", $"/jobs/details/{job}", "/retries", "/recurring", "/servers", "/logout"])
        {
            var response = await page.GotoAsync($"/hangfire{path}");
            Assert.Equal((int)HttpStatusCode.OK, response!.Status);
            Assert.Contains("content-security-policy", response.Headers);
        }

        Assert.Empty(complaints);
    }

    [Fact]
    public async Task Outside_Development_an_answer_over_https_keeps_the_browser_there()
    {
        await using var production = await RunningService.StartAsync(_cluster, new() { ["environment"] = "Production", ["KNOWN_PROXIES"] = "127.0.0.1" });

        foreach (var path in (string[])["/health/live", "/projects", "/nowhere"])
        {
            Assert.Equal("max-age=31536000", Header(await SendAsync(production, path, "https"), "Strict-Transport-Security"));
            Assert.Null(Header(await SendAsync(production, path, "http"), "Strict-Transport-Security"));
            Assert.Null(Header(await SendAsync(Service, path, "https"), "Strict-Transport-Security"));
        }
    }

    [Fact]
    public async Task A_claim_of_https_from_an_unknown_address_is_not_believed()
    {
        await using var production = await RunningService.StartAsync(_cluster, new() { ["environment"] = "Production", ["KNOWN_PROXIES"] = "192.0.2.1" });

        Assert.Null(Header(await SendAsync(production, "/health/live", "https"), "Strict-Transport-Security"));
    }

    private static void AssertForbidding(HttpResponseMessage response)
    {
        Assert.Equal("nosniff", Header(response, "X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header(response, "Referrer-Policy"));
        Assert.Equal("default-src 'none'; frame-ancestors 'none'", Header(response, "Content-Security-Policy"));
        Assert.Contains("no-store", Header(response, "Cache-Control"), StringComparison.Ordinal);
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    private static Task<HttpResponseMessage> SendAsync(RunningService service, string path, string scheme) => service.Http.SendAsync(
        new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "X-Forwarded-Proto", scheme } } }, Cancelled);
}
