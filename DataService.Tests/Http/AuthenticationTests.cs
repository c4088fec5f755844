using System.Net.Http.Headers;
using DataService.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace DataService.Tests.Http;

public sealed class AuthenticationTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    internal const string AnyId = "00000000-0000-0000-0000-000000000000";

    private const string SecondToken = "canary-second-token-90ab12";
    private const string ViewerToken = "canary-viewer-token-61aa0f";
    private const string SecondViewerToken = "canary-second-viewer-token-0c4e";

    /// <summary>Public as well; their own tests show it.</summary>
    private static readonly string[] PublicElsewhere = ["/projects/any/client-view", "/github/projects/any/sync"];

    private static readonly string[] PublicPaths = ["/health/live", "/health/ready", "/openapi/v1.json", "/openapi/"];

    protected override Dictionary<string, string?> Settings => new()
    {
        ["API_TOKEN"] = $"{RunningService.ApiToken}, {SecondToken}",
        ["VIEWER_TOKEN"] = $"{ViewerToken}, {SecondViewerToken}",
    };

    [Fact]
    public async Task Every_route_of_the_API_wants_a_token()
    {
        var routes = Routes(Service).Where(route =>
            !route.Path.StartsWith("/hangfire", StringComparison.Ordinal) && !route.Path.StartsWith("/openapi", StringComparison.Ordinal)
            && !PublicPaths.Contains(route.Path) && !PublicElsewhere.Contains(route.Path)).ToList();
        // The routes come from the service itself, so that a new one is not forgotten; these show that they do.
        Assert.Contains(("POST", "/projects/any/approve"), routes);
        Assert.Contains(("GET", "/projects"), routes);
        Assert.Contains(("PUT", "/projects/any/spec"), routes);
        Assert.Contains(("DELETE", $"/projects/any/tasks/{AnyId}"), routes);

        foreach (var (method, path) in routes)
        {
            foreach (var authorization in (string?[])[null, "Bearer", "Bearer wrong", $"Bearer {RunningService.ApiToken}x", $"Basic {RunningService.ApiToken}", RunningService.ApiToken])
            {
                var response = await SendAsync(method, path, authorization);
                Assert.True(response.StatusCode is HttpStatusCode.Unauthorized, $"{method} {path} with {authorization ?? "nothing"} answers {response.StatusCode}");
                await response.ReadProblemAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
                Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
            }
        }
    }

    [Fact]
    public async Task What_does_not_exist_wants_a_token_too()
    {
        foreach (var (method, path) in ((string, string)[])[("GET", "/nowhere"), ("PATCH", "/projects")])
            await (await SendAsync(method, path, null)).ReadProblemAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
    }

    [Fact]
    public async Task A_refused_call_changes_nothing()
    {
        await Service.CreateProjectAsync("Acme");

        await Service.Anonymous.DeleteAsync("/projects/acme", Cancelled);
        await Service.Anonymous.PostAsJsonAsync("/projects", new { name = "Other" }, Cancelled);

        Assert.Equal("acme", await Service.QueryAsync<string>("SELECT string_agg(slug, ',') FROM projects"));
    }

    [Fact]
    public async Task A_viewers_token_is_refused_everything_that_changes_something()
    {
        await Service.CreateProjectAsync("Acme");
        var document = await (await Service.Anonymous.GetAsync("/openapi/v1.json", Cancelled)).ReadAsync(HttpStatusCode.OK);
        var operations = document.GetProperty("paths").EnumerateObject()
            .SelectMany(
                path => path.Value.EnumerateObject(),
                (path, operation) => (Method: operation.Name.ToUpperInvariant(), Path: path.Name, operation.Value))
            .Where(operation => operation.Method is not "GET" && operation.Value.TryGetProperty("security", out _)).ToList();
        // The operations come from the service itself, so that a new one is not forgotten; these show that they do.
        foreach (var expected in ((string, string)[])[("POST", "/projects/{slug}/approve"), ("PATCH", "/projects/{slug}/tasks/{taskId}")])
            Assert.Contains(expected, operations.Select(operation => (operation.Method, operation.Path)));

        foreach (var (method, path, operation) in operations)
        {
            var described = operation.GetProperty("responses").GetProperty("403").GetProperty("description").GetString()!;
            Assert.Contains("FORBIDDEN", described.Split(", "));
            var concrete = path.Replace("{slug}", "acme", StringComparison.Ordinal).Replace("{taskId}", AnyId, StringComparison.Ordinal);
            foreach (var token in (string[])[ViewerToken, SecondViewerToken])
            {
                var response = await SendAsync(method, concrete, $"Bearer {token}");
                await response.ReadProblemAsync(HttpStatusCode.Forbidden, "FORBIDDEN");
                Assert.Equal("Bearer error=\"insufficient_scope\"", response.Headers.WwwAuthenticate.ToString());
            }
        }

        Assert.Equal("acme interviewing", await Service.QueryAsync<string>("SELECT string_agg(slug || ' ' || status, ',') FROM projects"));
    }

    [Fact]
    public async Task A_viewers_token_reads_everything_and_calls_what_is_public()
    {
        await Service.CreateProjectAsync("Acme");

        foreach (var path in (string[])["/projects", "/projects/acme", "/projects/acme/tasks", "/github/repos", "/projects/acme/client-view"])
            await (await SendAsync("GET", path, $"Bearer {ViewerToken}")).ReadAsync(HttpStatusCode.OK);
        await (await SendAsync("POST", "/github/projects/acme/sync", $"Bearer {ViewerToken}")).ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_does_not_exist_forbids_a_viewer_too()
    {
        foreach (var (method, path) in ((string, string)[])[("POST", "/nowhere"), ("PATCH", "/projects"), ("ANYTHING", "/projects")])
            await (await SendAsync(method, path, $"Bearer {ViewerToken}")).ReadProblemAsync(HttpStatusCode.Forbidden, "FORBIDDEN");
    }

    [Fact]
    public async Task Health_and_the_description_of_the_API_are_public()
    {
        foreach (var path in PublicPaths)
            Assert.Equal(HttpStatusCode.OK, (await Service.Anonymous.GetAsync(path, Cancelled)).StatusCode);
    }

    [Fact]
    public async Task A_wrong_token_does_no_harm_where_none_is_needed() =>
        await (await SendAsync("GET", "/health/live", "Bearer wrong")).ReadAsync(HttpStatusCode.OK);

    [Fact]
    public async Task Each_of_several_tokens_opens_the_API_and_their_list_does_not()
    {
        foreach (var token in (string[])[RunningService.ApiToken, SecondToken])
            await (await SendAsync("GET", "/projects", $"Bearer {token}")).ReadAsync(HttpStatusCode.OK);
        foreach (var token in (string[])[$"{RunningService.ApiToken}, {SecondToken}", $"{RunningService.ApiToken},{SecondToken}", ",", ""])
            await (await SendAsync("GET", "/projects", $"Bearer {token}")).ReadProblemAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
    }

    [Fact]
    public async Task The_name_of_the_scheme_has_no_case_and_the_token_has()
    {
        foreach (var scheme in (string[])["bearer", "BEARER", "bEaReR"])
            await (await SendAsync("GET", "/projects", $"{scheme} {RunningService.ApiToken}")).ReadAsync(HttpStatusCode.OK);
        await (await SendAsync("GET", "/projects", $"Bearer {RunningService.ApiToken.ToUpperInvariant()}")).ReadProblemAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");
    }

    [Fact]
    public async Task A_token_in_the_address_opens_nothing() =>
        await (await Service.Anonymous.GetAsync($"/projects?access_token={RunningService.ApiToken}", Cancelled)).ReadProblemAsync(HttpStatusCode.Unauthorized, "UNAUTHORIZED");

    [Fact]
    public async Task No_token_is_logged()
    {
        await SendAsync("GET", "/projects", $"Bearer {RunningService.ApiToken}");
        await SendAsync("GET", "/projects", "Bearer canary-wrong-token");

        Assert.NotEmpty(Service.Logs.Events);
        Assert.DoesNotContain(RunningService.ApiToken, Service.Logs.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("canary-wrong-token", Service.Logs.Text, StringComparison.Ordinal);
    }

    /// <summary>What the service serves, with "any" for each parameter of a path, or <see cref="AnyId"/> where it must be a uuid.</summary>
    internal static IEnumerable<(string Method, string Path)> Routes(RunningService service) => service.Services.GetRequiredService<EndpointDataSource>().Endpoints
        .OfType<RouteEndpoint>()
        .SelectMany(
            endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? [],
            (endpoint, method) => (method, Path: "/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part =>
                part switch
                {
                    RoutePatternLiteralPart literal => literal.Content,
                    RoutePatternParameterPart { ParameterPolicies: [{ Content: "guid" }] } => AnyId,
                    _ => "any",
                }))))))
        .Select(route => route.Path is "/openapi/any.json" ? route with { Path = "/openapi/v1.json" } : route);

    private Task<HttpResponseMessage> SendAsync(string method, string path, string? authorization)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (method is "POST" or "PUT" or "PATCH")
            request.Content = new StringContent("{}", MediaTypeHeaderValue.Parse("application/json"));
        return Service.Anonymous.SendAsync(request, Cancelled);
    }
}
