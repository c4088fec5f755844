using System.Net.Http.Headers;
using System.Text.Json;
using DataService.Tests.Support;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Serilog.Events;

namespace DataService.Tests.Http;

public sealed class ProblemDetailsTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    [Fact]
    public async Task An_unknown_route_answers_404()
    {
        var response = await Service.Http.GetAsync("/no/where?x=1", Cancelled);
        var problem = await response.ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");

        Assert.Equal("/no/where", problem.GetProperty("instance").GetString());
        AssertPlain(problem);
    }

    [Fact]
    public async Task A_wrong_method_answers_405_and_says_which_are_right()
    {
        var response = await Service.Http.PatchAsync("/projects", null, Cancelled);

        AssertPlain(await response.ReadProblemAsync(HttpStatusCode.MethodNotAllowed, "VALIDATION_ERROR"));
        Assert.Equal(["GET", "POST"], response.Content.Headers.Allow.Order());
    }

    [Fact]
    public async Task A_wrong_content_type_answers_415()
    {
        foreach (var type in (string?[])["text/plain", "application/x-www-form-urlencoded", null])
        {
            var response = await Service.Http.PostAsync("/projects", Body("""{ "name": "Acme" }""", type), Cancelled);
            AssertPlain(await response.ReadProblemAsync(HttpStatusCode.UnsupportedMediaType, "VALIDATION_ERROR"));
        }

        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM projects"));
    }

    [Fact]
    public async Task A_body_that_is_no_JSON_answers_400()
    {
        string[] bodies = ["{", "name=Acme", """{ "name": "Acme" """, """{ "name": "Acme" } }""", """{ 'name': 'Acme' }""", """{ "name": "Acme", }""", "\0"];

        await Assert.AllAsync(bodies, async body => AssertPlain(await PostAsync(body)));
    }

    [Fact]
    public async Task A_body_that_is_not_an_object_answers_400()
    {
        string[] bodies = ["null", "[]", "\"Acme\"", "5", "true", """[{ "name": "Acme" }]"""];

        await Assert.AllAsync(bodies, async body => AssertPlain(await PostAsync(body)));
    }

    [Fact]
    public async Task What_does_not_fit_is_told_in_the_words_of_who_sent_it()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        var long101 = new string('q', 101);
        (string Call, string? Body, string Field, string Text)[] refused =
        [
            ($"PUT /projects/{slug}/spec", """{ "contentMarkdown": "a\u0007b" }""", "contentMarkdown", "contentMarkdown must not contain control characters."),
            ($"POST /projects/{slug}/tasks", """{ "title": "Cart", "sortOrder": 2147483648 }""", "sortOrder", "This value has the wrong type, or is out of range."),
            ("POST /repo-creations/requeue", $$"""{ "q": "{{long101}}" }""", "q", "q must have at most 100 characters."),
            ($"GET /repo-creations?q={long101}", null, "q", "q must have at most 100 characters."),
            ("GET /repo-creations?q=a%00bcd", null, "q", "q must not contain control characters."),
            ($"GET /projects?q={long101}", null, "q", "q must have at most 100 characters."),
            ("GET /projects?limit=0", null, "limit", "limit must be from 1 to 100."),
            ("GET /projects?offset=-1", null, "offset", "offset must be 0 or more."),
            ($"GET /audit?slug={long101}", null, "slug", "slug must have at most 100 characters."),
            ("GET /audit?limit=101", null, "limit", "limit must be from 1 to 100."),
        ];

        await Assert.AllAsync(refused, async request =>
        {
            var call = request.Call.Split(' ');
            using var message = new HttpRequestMessage(new HttpMethod(call[0]), call[1]);
            if (request.Body is not null)
                message.Content = Body(request.Body, "application/json");
            var problem = await (await Service.Http.SendAsync(message, Cancelled)).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
            Assert.Equal([(request.Field, request.Text)], problem.GetProperty("errors").EnumerateObject().Select(error => (error.Name, error.Value[0].GetString()!)));
        });
        Assert.Equal("The body must be a JSON object.", (await PostAsync("[]")).GetProperty("detail").GetString());
        Assert.Equal("The body is not valid JSON.", (await PostAsync("{")).GetProperty("detail").GetString());
    }

    [Fact]
    public async Task No_body_answers_400()
    {
        AssertPlain(await PostAsync(""));
        AssertPlain(await PostAsync("  "));
    }

    [Fact]
    public async Task A_value_of_the_wrong_type_answers_400_and_names_the_field()
    {
        foreach (var value in (string[])["5", "true", "{}", "[]"])
        {
            var problem = await PostAsync($$"""{ "name": {{value}} }""");
            Assert.Equal(["name"], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
            AssertPlain(problem);
        }
    }

    [Fact]
    public async Task Every_problem_names_the_address_that_was_asked()
    {
        var response = await Service.Http.GetAsync("/projects/nob%20ody", Cancelled);
        var problem = await response.ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");

        Assert.Equal("/projects/nob%20ody", problem.GetProperty("instance").GetString());
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/xml;q=x, */*;q=-1")]
    public async Task Whatever_the_caller_accepts_an_error_is_a_problem(string accept)
    {
        (HttpClient Client, string Path, HttpStatusCode Status, string Code)[] calls =
        [
            (Service.Anonymous, "/projects", HttpStatusCode.Unauthorized, "UNAUTHORIZED"),
            (Service.Http, "/nowhere", HttpStatusCode.NotFound, "NOT_FOUND"),
            (Service.Http, "/projects/nobody", HttpStatusCode.NotFound, "NOT_FOUND"),
            (Service.Http, "/projects?limit=0", HttpStatusCode.BadRequest, "VALIDATION_ERROR"),
            (Service.Http, "/projects?limit=x", HttpStatusCode.BadRequest, "VALIDATION_ERROR"),
        ];

        await Assert.AllAsync(calls, async call =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, call.Path);
            request.Headers.TryAddWithoutValidation("Accept", accept);
            await (await call.Client.SendAsync(request, Cancelled)).ReadProblemAsync(call.Status, call.Code);
        });
    }

    [Fact]
    public async Task A_body_that_is_too_large_answers_413()
    {
        // Announced and not sent: the service refuses by the length alone.
        using var request = new HttpRequestMessage(HttpMethod.Post, "/projects") { Content = Body("{}", "application/json") };
        request.Content.Headers.ContentLength = 100_000_000;
        request.Headers.ExpectContinue = true;

        var response = await Service.Http.SendAsync(request, Cancelled);

        AssertPlain(await response.ReadProblemAsync(HttpStatusCode.RequestEntityTooLarge, "VALIDATION_ERROR"));
    }

    [Fact]
    public async Task A_failure_of_the_database_answers_500_without_the_inside_and_is_logged_whole()
    {
        await Service.QueryAsync<object>("DROP TABLE projects CASCADE");

        var response = await Service.Http.GetAsync("/projects", Cancelled);

        var problem = await response.ReadProblemAsync(HttpStatusCode.InternalServerError, "INTERNAL");
        Assert.DoesNotContain("relation", problem.GetRawText(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("42P01", problem.GetRawText(), StringComparison.Ordinal);
        AssertPlain(problem);
        await AssertLoggedAsync(Service, response, "relation \"projects\" does not exist");
    }

    [Fact]
    public async Task An_unexpected_exception_answers_500_without_the_inside_and_is_logged_whole()
    {
        var clock = new BreakableClock();
        await using var service = await RunningService.StartAsync(_cluster, replace: services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock)));
        clock.IsBroken = true;

        var response = await service.Http.PostAsJsonAsync("/projects", new { name = "Acme" }, Cancelled);

        var problem = await response.ReadProblemAsync(HttpStatusCode.InternalServerError, "INTERNAL");
        Assert.DoesNotContain(BreakableClock.Message, problem.GetRawText(), StringComparison.Ordinal);
        AssertPlain(problem);
        clock.IsBroken = false;
        await AssertLoggedAsync(service, response, BreakableClock.Message);
    }

    /// <summary>An error that the log has with its stack, at a level that the settings let through, under the id that the answer names.</summary>
    private static async Task AssertLoggedAsync(RunningService service, HttpResponseMessage response, string inside)
    {
        var id = Assert.Single(response.Headers.GetValues("X-Request-Id"));
        await Eventually.ReturnsAsync(
            () => Task.FromResult(service.Logs.Events.Count(entry => entry is { Level: LogEventLevel.Error, Exception: not null }
                && entry.Exception.ToString().Contains(inside, StringComparison.Ordinal)
                && !IsSilenced(entry)
                && entry.Properties.GetValueOrDefault("RequestId") is ScalarValue { Value: string of } && of == id)),
            count => count > 0,
            $"an error in the log that says: {inside}",
            TimeSpan.FromSeconds(5));
    }

    /// <summary>The settings of the service keep these from its log.</summary>
    private static bool IsSilenced(LogEvent entry) =>
        entry.Properties.GetValueOrDefault("SourceContext") is ScalarValue { Value: "Microsoft.EntityFrameworkCore.Database.Command" or "Microsoft.EntityFrameworkCore.Update" };

    /// <summary>Nothing of the inside: no type names, no stack.</summary>
    private static void AssertPlain(JsonElement problem)
    {
        foreach (var inside in (string[])["Exception", "   at ", "DataService.", "System.", "Npgsql", "traceId", "CreateProjectRequest"])
            Assert.DoesNotContain(inside, problem.GetRawText(), StringComparison.Ordinal);
    }

    private static ByteArrayContent Body(string body, string? type)
    {
        var content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = type is null ? null : new MediaTypeHeaderValue(type);
        return content;
    }

    private async Task<JsonElement> PostAsync(string body) =>
        await (await Service.Http.PostAsync("/projects", Body(body, "application/json"), Cancelled)).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");

    private sealed class BreakableClock : TimeProvider
    {
        public const string Message = "The clock stopped, says the canary.";

        public bool IsBroken { get; set; }

        public override DateTimeOffset GetUtcNow() => IsBroken ? throw new InvalidOperationException(Message) : base.GetUtcNow();
    }
}
