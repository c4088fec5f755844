using System.Collections.Concurrent;
using System.Text.Json;
using DataService.Tests.Support;
using Microsoft.Playwright;

namespace DataService.Tests.Http;

public sealed class OpenApiTests(PostgresCluster cluster, Browser browser) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

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
    public async Task Where_one_of_two_schemas_has_to_fit_a_null_fits_one_alone()
    {
        var schemas = (await DocumentAsync()).GetProperty("components").GetProperty("schemas").EnumerateObject().ToList();

        Assert.Contains(schemas, schema => schema.Value.TryGetProperty("enum", out _));
        Assert.All(schemas.Where(schema => schema.Value.TryGetProperty("enum", out _)), schema =>
            Assert.DoesNotContain(schema.Value.GetProperty("enum").EnumerateArray(), value => value.ValueKind is JsonValueKind.Null));
    }

    [Fact]
    public async Task Each_operation_that_is_served_is_described_and_no_other()
    {
        var operations = Operations(await DocumentAsync()).Select(operation => (operation.Method,
            operation.Path.Replace("{slug}", "any", StringComparison.Ordinal).Replace("{taskId}", AuthenticationTests.AnyId, StringComparison.Ordinal)));

        var served = AuthenticationTests.Routes(Service)
            .Where(route => !route.Path.StartsWith("/hangfire", StringComparison.Ordinal) && !route.Path.StartsWith("/openapi", StringComparison.Ordinal));
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
            var isPublic = operation.Path.StartsWith("/health/", StringComparison.Ordinal) || operation.Path is "/projects/{slug}/client-view" or "/github/projects/{slug}/sync";
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
            ("/projects", "get", ["200", "400", "401", "500", "503"]),
            ("/projects", "post", ["201", "400", "401", "403", "409", "413", "415", "500", "503"]),
            ("/projects/{slug}", "get", ["200", "401", "404", "500", "503"]),
            ("/projects/{slug}", "delete", ["204", "401", "403", "404", "500", "503"]),
            ("/projects/{slug}/github-repo", "put", ["200", "400", "401", "403", "404", "413", "415", "500", "503"]),
            ("/projects/{slug}/approve", "post", ["200", "401", "403", "404", "409", "500", "503"]),
            ("/projects/{slug}/timeline", "get", ["200", "401", "404", "500", "503"]),
            ("/audit", "get", ["200", "400", "401", "500", "503"]),
            ("/projects/{slug}/status", "put", ["200", "400", "401", "403", "404", "409", "413", "415", "500", "503"]),
            ("/projects/{slug}/spec", "get", ["200", "401", "404", "500", "503"]),
            ("/projects/{slug}/spec", "put", ["200", "400", "401", "403", "404", "413", "415", "500", "503"]),
            ("/projects/{slug}/repo-creation", "post", ["202", "401", "403", "404", "409", "500", "503"]),
            ("/repo-creations", "get", ["200", "400", "401", "500", "503"]),
            ("/repo-creations/requeue", "post", ["200", "400", "401", "403", "413", "415", "500", "503"]),
            ("/repo-creations/enqueue-missing", "post", ["200", "400", "401", "403", "413", "415", "500", "503"]),
            ("/repo-creations/status", "get", ["200", "401", "500", "503"]),
            ("/repo-creations/pause", "post", ["200", "400", "401", "403", "413", "415", "500", "503"]),
            ("/repo-creations/resume", "post", ["200", "401", "403", "500", "503"]),
            ("/repo-creations/reconcile", "post", ["200", "400", "401", "403", "413", "415", "500", "503"]),
            ("/repo-creations/findings", "get", ["200", "400", "401", "500", "503"]),
            ("/projects/{slug}/tasks", "get", ["200", "401", "404", "500", "503"]),
            ("/projects/{slug}/tasks", "post", ["201", "400", "401", "403", "404", "413", "415", "500", "503"]),
            ("/projects/{slug}/tasks/reorder", "put", ["200", "400", "401", "403", "404", "413", "415", "500", "503"]),
            ("/projects/{slug}/tasks/{taskId}", "patch", ["200", "400", "401", "403", "404", "413", "415", "500", "503"]),
            ("/projects/{slug}/tasks/{taskId}", "delete", ["204", "401", "403", "404", "500", "503"]),
            ("/projects/{slug}/messages", "get", ["200", "401", "404", "500", "503"]),
            ("/projects/{slug}/messages", "post", ["201", "400", "401", "403", "404", "413", "415", "500", "503"]),
            ("/projects/{slug}/client-view", "get", ["200", "404", "429", "500", "503"]),
            ("/github/repos", "get", ["200", "401", "403", "404", "422", "500", "502", "503"]),
            ("/github/projects/{slug}/push", "post", ["200", "202", "401", "403", "404", "409", "422", "500", "502", "503"]),
            ("/github/projects/{slug}/sync", "post", ["200", "404", "429", "500", "503"]),
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

    [Fact]
    public async Task Each_operation_has_an_id_a_tag_and_examples_of_what_it_takes_and_gives()
    {
        var operations = Operations(await DocumentAsync()).ToList();

        Assert.All(operations, operation =>
        {
            Assert.Matches(@"\A[a-z]+[A-Za-z]*\z", operation.Content.GetProperty("operationId").GetString());
            Assert.Single(operation.Content.GetProperty("tags").EnumerateArray());
            var bodies = operation.Content.GetProperty("responses").EnumerateObject().Select(response => response.Value)
                .Concat(operation.Content.TryGetProperty("requestBody", out var request) ? [request] : []);
            foreach (var body in bodies.Where(body => body.TryGetProperty("content", out _)).SelectMany(body => body.GetProperty("content").EnumerateObject()))
            {
                Assert.True(
                    body.Value.TryGetProperty("example", out _) || body.Value.TryGetProperty("examples", out _),
                    $"{operation.Method} {operation.Path} has {body.Name} without an example");
            }
        });
        Assert.Equal(operations.Count, operations.Select(operation => operation.Content.GetProperty("operationId").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task Errors_are_problems_with_a_code_a_message_and_an_error()
    {
        var document = await DocumentAsync();

        var problem = document.GetProperty("components").GetProperty("schemas").GetProperty("Problem");
        Assert.Equal(
            ["type", "title", "status", "detail", "instance", "code", "message", "error"], problem.GetProperty("required").EnumerateArray().Select(member => member.GetString()));
        Assert.Contains("NOT_FOUND", problem.GetProperty("properties").GetProperty("code").GetProperty("enum").EnumerateArray().Select(code => code.GetString()));
        var errors = Operations(document).SelectMany(operation => operation.Content.GetProperty("responses").EnumerateObject())
            .Where(response => response.Name[0] is '4' or '5' && response.Value.GetProperty("content").TryGetProperty("application/problem+json", out _));
        Assert.All(errors, error => Assert.Equal(
            "#/components/schemas/Problem",
            error.Value.GetProperty("content").GetProperty("application/problem+json").GetProperty("schema").GetProperty("$ref").GetString()));
    }

    [Fact]
    public async Task What_may_be_null_is_always_there_and_may_be_null()
    {
        var schemas = (await DocumentAsync()).GetProperty("components").GetProperty("schemas");

        var project = schemas.GetProperty("ProjectResponse");
        Assert.Equal(
            ["id", "name", "slug", "status", "githubRepo", "createdAt", "repoCreation"], project.GetProperty("required").EnumerateArray().Select(member => member.GetString()));
        Assert.Equal(["null", "string"], project.GetProperty("properties").GetProperty("githubRepo").GetProperty("type").EnumerateArray().Select(type => type.GetString()).Order());
        Assert.Equal(
            ["interviewing", "review", "active", "complete"], schemas.GetProperty("ProjectStatus").GetProperty("enum").EnumerateArray().Select(word => word.GetString()));
    }

    [Fact]
    public async Task The_document_changes_only_when_that_is_accepted()
    {
        var folder = Path.Combine(Repository.Root, "DataService", "Http");
        var (accepted, received) = (Path.Combine(folder, "openapi.v1.json"), Path.Combine(folder, "openapi.v1.received.json"));
        var document = (await Service.Anonymous.GetStringAsync("/openapi/v1.json", Cancelled)).ReplaceLineEndings("\n").TrimEnd() + "\n";

        if (File.Exists(accepted) && await File.ReadAllTextAsync(accepted, Cancelled) == document)
        {
            File.Delete(received);
            return;
        }

        await File.WriteAllTextAsync(received, document, Cancelled);
        Assert.Fail($"The API's description has changed. Compare the two, and if all of it is meant: mv {received} {accepted}");
    }

    [Fact]
    public async Task In_production_the_accepted_document_is_served_to_everyone()
    {
        await using var production = await RunningService.StartAsync(_cluster, new() { ["environment"] = "Production" });

        var answer = await production.Anonymous.GetAsync("/openapi/v1.json", Cancelled);

        await answer.ReadAsync(HttpStatusCode.OK);
        var accepted = Path.Combine(Repository.Root, "DataService", "Http", "openapi.v1.json");
        Assert.Equal(await File.ReadAllTextAsync(accepted, Cancelled), await answer.Content.ReadAsStringAsync(Cancelled));
    }

    [Fact]
    public async Task The_page_for_people_loads_from_here_alone_and_runs_under_its_policy()
    {
        var page = await browser.OpenAsync(Service);
        var complaints = page.Complaints();
        var foreign = new ConcurrentQueue<string>();
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(Service.Address.ToString(), StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
                foreign.Enqueue(request.Url);
        };

        await page.GotoAsync("/openapi");

        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Name = "DataService", Exact = true })).ToBeVisibleAsync();
        await page.GotoAsync("/openapi#tag/projects/POST/projects/{slug}/approve");
        await Assertions.Expect(page.GetByText("Approve the spec; a job creates the repository").First).ToBeVisibleAsync();
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        Assert.Empty(foreign);
        Assert.Empty(complaints);
    }

    private static IEnumerable<(string Method, string Path, JsonElement Content)> Operations(JsonElement document) =>
        document.GetProperty("paths").EnumerateObject().SelectMany(
            path => path.Value.EnumerateObject(), (path, operation) => (operation.Name.ToUpperInvariant(), path.Name, operation.Value));

    private async Task<JsonElement> DocumentAsync() =>
        await (await Service.Anonymous.GetAsync("/openapi/v1.json", Cancelled)).ReadAsync(HttpStatusCode.OK);
}
