using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Http;

public sealed class OpenApiTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task The_document_is_served_to_everyone()
    {
        var document = await DocumentAsync();

        Assert.StartsWith("3.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal("DataService", document.GetProperty("info").GetProperty("title").GetString());
        var scheme = document.GetProperty("components").GetProperty("securitySchemes").GetProperty("Bearer");
        Assert.Equal(("http", "bearer"), (scheme.GetProperty("type").GetString(), scheme.GetProperty("scheme").GetString()));
    }

    [Fact]
    public async Task Each_operation_that_is_served_is_described_and_no_other()
    {
        var operations = Operations(await DocumentAsync()).Select(operation => (operation.Method,
            operation.Path.Replace("{slug}", "any", StringComparison.Ordinal).Replace("{taskId}", AuthenticationTests.AnyId, StringComparison.Ordinal)));

        var served = AuthenticationTests.Routes(Service)
            .Where(route => !route.Path.StartsWith("/hangfire", StringComparison.Ordinal) && route.Path is not "/openapi/v1.json");
        Assert.Equal(served.Order(), operations.Order());
    }

    [Fact]
    public async Task Each_operation_has_a_summary_and_wants_a_token_except_the_public_ones()
    {
        var operations = Operations(await DocumentAsync()).ToList();
        Assert.NotEmpty(operations);

        Assert.All(operations, operation =>
        {
            Assert.False(string.IsNullOrWhiteSpace(operation.Content.GetProperty("summary").GetString()), $"{operation.Method} {operation.Path} has no summary");
            var isPublic = operation.Path.StartsWith("/health/", StringComparison.Ordinal) || operation.Path is "/projects/{slug}/client-view";
            var schemes = operation.Content.TryGetProperty("security", out var security)
                ? security.EnumerateArray().SelectMany(requirement => requirement.EnumerateObject().Select(scheme => scheme.Name))
                : [];
            Assert.True(schemes.SequenceEqual(isPublic ? [] : (string[])["Bearer"]), $"{operation.Method} {operation.Path} has the wrong security");
            Assert.Equal(!isPublic, operation.Content.GetProperty("responses").TryGetProperty("401", out _));
        });
    }

    [Fact]
    public async Task Each_operation_names_its_answers_and_what_they_hold()
    {
        var document = await DocumentAsync();

        (string Path, string Method, string[] Statuses)[] contract =
        [
            ("/health/live", "get", ["200"]),
            ("/health/ready", "get", ["200", "503"]),
            ("/projects", "get", ["200", "400", "401"]),
            ("/projects", "post", ["201", "400", "401", "409"]),
            ("/projects/{slug}", "get", ["200", "401", "404"]),
            ("/projects/{slug}", "delete", ["204", "401", "404"]),
            ("/projects/{slug}/github-repo", "put", ["200", "400", "401", "404"]),
            ("/projects/{slug}/approve", "post", ["200", "401", "404", "409"]),
            ("/projects/{slug}/status", "put", ["200", "400", "401", "404", "409"]),
            ("/projects/{slug}/spec", "get", ["200", "401", "404"]),
            ("/projects/{slug}/spec", "put", ["200", "400", "401", "404"]),
            ("/projects/{slug}/tasks", "get", ["200", "401", "404"]),
            ("/projects/{slug}/tasks", "post", ["201", "400", "401", "404"]),
            ("/projects/{slug}/tasks/reorder", "put", ["200", "400", "401", "404"]),
            ("/projects/{slug}/tasks/{taskId}", "patch", ["200", "400", "401", "404"]),
            ("/projects/{slug}/tasks/{taskId}", "delete", ["204", "401", "404"]),
            ("/projects/{slug}/messages", "get", ["200", "401", "404"]),
            ("/projects/{slug}/messages", "post", ["201", "400", "401", "404"]),
            ("/projects/{slug}/client-view", "get", ["200", "404", "429"]),
            ("/projects/{slug}/repo-creation", "post", ["202", "401", "404", "409"]),
        ];
        Assert.All(contract, expected =>
        {
            var responses = document.GetProperty("paths").GetProperty(expected.Path).GetProperty(expected.Method).GetProperty("responses");
            Assert.Equal(expected.Statuses, responses.EnumerateObject().Select(response => response.Name).Order());
            Assert.All(responses.EnumerateObject().Where(response => response.Name is not "204"), response =>
                Assert.True(response.Value.TryGetProperty("content", out var content) && content.EnumerateObject().Any(), $"{expected} says nothing of {response.Name}"));
        });
    }

    [Fact]
    public async Task A_partial_change_of_a_task_needs_no_property_and_only_the_description_may_be_null()
    {
        var document = await DocumentAsync();

        var schema = document.GetProperty("components").GetProperty("schemas").GetProperty("UpdateTaskRequest");

        Assert.False(schema.TryGetProperty("required", out _));
        var types = schema.GetProperty("properties").EnumerateObject().ToDictionary(property => property.Name, property => property.Value.GetProperty("type").ToString());
        Assert.Equal(["title", "description", "status"], types.Keys);
        Assert.Equal("string", types["title"]);
        Assert.Contains("null", types["description"], StringComparison.Ordinal);
        Assert.Equal("string", types["status"]);
    }

    private static IEnumerable<(string Method, string Path, JsonElement Content)> Operations(JsonElement document) =>
        document.GetProperty("paths").EnumerateObject().SelectMany(
            path => path.Value.EnumerateObject(), (path, operation) => (operation.Name.ToUpperInvariant(), path.Name, operation.Value));

    private async Task<JsonElement> DocumentAsync() =>
        await (await Service.Anonymous.GetAsync("/openapi/v1.json", Cancelled)).ReadAsync(HttpStatusCode.OK);
}
