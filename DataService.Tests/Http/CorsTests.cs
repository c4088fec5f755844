using DataService.Tests.Support;

namespace DataService.Tests.Http;

public sealed class CorsTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    [Fact]
    public async Task The_origins_of_local_frontends_are_allowed_in_Development()
    {
        foreach (var origin in (string[])["http://localhost:3000", "http://localhost:5173", "http://127.0.0.1:5173"])
            Assert.Equal(origin, Header(await SendAsync(Service, HttpMethod.Get, "/projects", origin), "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_preflight_is_answered_without_a_token_with_what_the_frontend_may_send()
    {
        var response = await PreflightAsync(Service, "http://localhost:3000", "PATCH", "authorization,content-type,x-requested-with");

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal("http://localhost:3000", Header(response, "Access-Control-Allow-Origin"));
        Assert.Equal("true", Header(response, "Access-Control-Allow-Credentials"));
        Assert.Equal("86400", Header(response, "Access-Control-Max-Age"));
        Assert.Equal(["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"], List(response, "Access-Control-Allow-Methods"));
        Assert.Equal(["authorization", "content-type", "x-requested-with"], List(response, "Access-Control-Allow-Headers").Select(name => name.ToLowerInvariant()));
    }

    [Fact]
    public async Task An_answer_lets_the_page_read_the_request_id_and_use_credentials()
    {
        var response = await SendAsync(Service, HttpMethod.Get, "/projects", "http://localhost:3000");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("x-request-id", Header(response, "Access-Control-Expose-Headers")?.ToLowerInvariant());
        Assert.Equal("true", Header(response, "Access-Control-Allow-Credentials"));
        Assert.Contains("Origin", Header(response, "Vary"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_can_read_errors_too()
    {
        using var anonymous = new HttpRequestMessage(HttpMethod.Get, "/projects") { Headers = { { "Origin", "http://localhost:3000" } } };
        var unauthorized = await Service.Anonymous.SendAsync(anonymous, Cancelled);
        Assert.Equal((HttpStatusCode.Unauthorized, "http://localhost:3000"), (unauthorized.StatusCode, Header(unauthorized, "Access-Control-Allow-Origin")));

        foreach (var (path, status) in ((string, HttpStatusCode)[])[("/nowhere", HttpStatusCode.NotFound), ("/projects?limit=x", HttpStatusCode.BadRequest)])
        {
            var response = await SendAsync(Service, HttpMethod.Get, path, "http://localhost:3000");
            Assert.Equal((status, "http://localhost:3000"), (response.StatusCode, Header(response, "Access-Control-Allow-Origin")));
        }

        await Service.QueryAsync<object>("DROP TABLE projects CASCADE");
        var failed = await SendAsync(Service, HttpMethod.Get, "/projects", "http://localhost:3000");
        Assert.Equal((HttpStatusCode.InternalServerError, "http://localhost:3000"), (failed.StatusCode, Header(failed, "Access-Control-Allow-Origin")));
    }

    [Fact]
    public async Task A_foreign_origin_gets_nothing()
    {
        foreach (var origin in (string[])["https://evil.example", "http://localhost:3001", "https://localhost:3000", "http://localhost:3000.evil.example", "null"])
        {
            AssertNothing(await SendAsync(Service, HttpMethod.Get, "/projects", origin));
            AssertNothing(await PreflightAsync(Service, origin, "POST", "content-type"));
        }
    }

    [Fact]
    public async Task A_configured_list_of_origins_replaces_the_defaults()
    {
        await using var service = await RunningService.StartAsync(_cluster, new() { ["ALLOWED_ORIGINS"] = "https://app.example.com, https://admin.example.com:8443" });

        foreach (var origin in (string[])["https://app.example.com", "https://admin.example.com:8443"])
        {
            Assert.Equal(origin, Header(await SendAsync(service, HttpMethod.Get, "/projects", origin), "Access-Control-Allow-Origin"));
            Assert.Equal(origin, Header(await PreflightAsync(service, origin, "POST", "content-type"), "Access-Control-Allow-Origin"));
        }

        AssertNothing(await SendAsync(service, HttpMethod.Get, "/projects", "http://localhost:3000"));
    }

    [Fact]
    public async Task Outside_Development_no_origin_is_allowed_by_default()
    {
        await using var service = await RunningService.StartAsync(_cluster, new() { ["environment"] = "Production" });

        AssertNothing(await SendAsync(service, HttpMethod.Get, "/projects", "http://localhost:3000"));
        AssertNothing(await PreflightAsync(service, "http://localhost:3000", "POST", "content-type"));
    }

    private static void AssertNothing(HttpResponseMessage response) =>
        Assert.DoesNotContain(response.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(",", values) : null;

    private static IEnumerable<string> List(HttpResponseMessage response, string name) =>
        Header(response, name)!.Split(',', StringSplitOptions.TrimEntries).Order();

    private static Task<HttpResponseMessage> SendAsync(RunningService service, HttpMethod method, string path, string origin) =>
        service.Http.SendAsync(new HttpRequestMessage(method, path) { Headers = { { "Origin", origin } } }, Cancelled);

    private static Task<HttpResponseMessage> PreflightAsync(RunningService service, string origin, string method, string headers) => service.Anonymous.SendAsync(
        new HttpRequestMessage(HttpMethod.Options, "/projects/acme/tasks")
        {
            Headers = { { "Origin", origin }, { "Access-Control-Request-Method", method }, { "Access-Control-Request-Headers", headers } },
        },
        Cancelled);
}
