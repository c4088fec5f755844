using DataService.Tests.Support;
using Serilog.Events;

namespace DataService.Tests.Http;

public sealed class RequestIdTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private const string Header = "X-Request-Id";

    [Fact]
    public async Task A_short_printable_id_is_taken_from_the_request()
    {
        foreach (var id in (string[])["a", "7f3c-42", "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~", new string('x', 64)])
            Assert.Equal(id, await AnsweredIdAsync(id));
    }

    [Fact]
    public async Task A_header_of_another_case_is_the_same_header()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live") { Headers = { { "x-request-id", "lower" } } };

        var response = await Service.Anonymous.SendAsync(request, Cancelled);

        Assert.Equal(["lower"], response.Headers.GetValues(Header));
    }

    [Fact]
    public async Task Any_other_id_is_replaced()
    {
        foreach (var id in (string[])[new string('x', 65), "two words", "tab\there", "naïve", ""])
        {
            var answered = await AnsweredIdAsync(id);
            Assert.NotEqual(id, answered);
            Assert.Matches(@"\A[0-9a-z]{16,64}\z", answered);
        }
    }

    [Fact]
    public async Task Two_ids_are_none()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live") { Headers = { { Header, ["one", "two"] } } };

        var answered = Assert.Single((await Service.Anonymous.SendAsync(request, Cancelled)).Headers.GetValues(Header));

        Assert.DoesNotContain("one", answered, StringComparison.Ordinal);
        Assert.DoesNotContain("two", answered, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_without_an_id_gets_one_of_its_own()
    {
        var first = await AnsweredIdAsync(null);
        var second = await AnsweredIdAsync(null);

        Assert.NotEqual(first, second);
        Assert.Matches(@"\A[0-9a-z]{16,64}\z", first);
    }

    [Fact]
    public async Task Every_answer_has_the_id_errors_too()
    {
        await Service.CreateProjectAsync("Acme");
        await AssertEchoedAsync(Service.Http, HttpMethod.Get, "/projects", HttpStatusCode.OK);
        await AssertEchoedAsync(Service.Http, HttpMethod.Get, "/nowhere", HttpStatusCode.NotFound);
        await AssertEchoedAsync(Service.Http, HttpMethod.Patch, "/projects", HttpStatusCode.MethodNotAllowed);
        await AssertEchoedAsync(Service.Http, HttpMethod.Get, "/projects?limit=0", HttpStatusCode.BadRequest);
        await AssertEchoedAsync(Service.Http, HttpMethod.Get, "/projects?limit=x", HttpStatusCode.BadRequest);
        await AssertEchoedAsync(Service.Http, HttpMethod.Post, "/projects/acme/repo-creation", HttpStatusCode.Conflict);
        await AssertEchoedAsync(Service.Anonymous, HttpMethod.Get, "/projects", HttpStatusCode.Unauthorized);
        await AssertEchoedAsync(Service.Anonymous, HttpMethod.Get, "/hangfire", HttpStatusCode.Found);
        await AssertEchoedAsync(Service.Http, HttpMethod.Delete, "/projects/acme", HttpStatusCode.NoContent);
        await Service.QueryAsync<object>("DROP TABLE projects CASCADE");
        await AssertEchoedAsync(Service.Http, HttpMethod.Get, "/projects", HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task The_id_stands_in_every_log_event_of_the_request()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/projects") { Headers = { { Header, "canary-id-1" } }, Content = JsonContent.Create(new { name = "Acme" }) };
        await (await Service.Http.SendAsync(request, Cancelled)).ReadAsync(HttpStatusCode.Created);

        var completed = await Eventually.ReturnsAsync(
            () => Task.FromResult(Service.Logs.Events.SingleOrDefault(entry => entry.MessageTemplate.Text.StartsWith("HTTP {RequestMethod}", StringComparison.Ordinal))),
            entry => entry is not null,
            "the line that closes the request");

        Assert.Equal("canary-id-1", Text(completed!, "RequestId"));
        // EF's lines are written deep inside the handler. The web server's first lines come before the header is read.
        var inside = Service.Logs.Events.Where(entry => Text(entry, "RequestPath") == "/projects" && !Text(entry, "SourceContext")!.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal)).ToList();
        Assert.Contains(inside, entry => Text(entry, "SourceContext")!.StartsWith("Microsoft.EntityFrameworkCore", StringComparison.Ordinal));
        Assert.All(inside, entry => Assert.Equal("canary-id-1", Text(entry, "RequestId")));
    }

    [Fact]
    public async Task Requests_at_once_keep_their_ids_apart()
    {
        var ids = Enumerable.Range(0, 16).Select(i => $"canary-{i}").ToList();

        var answered = await Task.WhenAll(ids.Select(id => AnsweredIdAsync(id)));

        Assert.Equal(ids, answered);
        await Eventually.ReturnsAsync(
            () => Task.FromResult(string.Join(' ', Service.Logs.Events
                .Where(entry => entry.MessageTemplate.Text.StartsWith("HTTP {RequestMethod}", StringComparison.Ordinal)).Select(entry => Text(entry, "RequestId")).Order())),
            logged => logged == string.Join(' ', ids.Order()),
            "one closing line for each request");
    }

    private static string? Text(LogEvent entry, string property) =>
        entry.Properties.GetValueOrDefault(property) is ScalarValue { Value: { } value } ? value.ToString() : null;

    private async Task<string> AnsweredIdAsync(string? id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live");
        if (id is not null)
            request.Headers.TryAddWithoutValidation(Header, id);
        return Assert.Single((await Utf8.SendAsync(request, Cancelled)).Headers.GetValues(Header));
    }

    /// <summary>Lets a header leave ASCII, as a careless caller could.</summary>
    private HttpClient Utf8 =>
        field ??= new HttpClient(new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8 }) { BaseAddress = Service.Address };

    private static async Task AssertEchoedAsync(HttpClient client, HttpMethod method, string path, HttpStatusCode status)
    {
        var id = $"canary-{Guid.NewGuid():N}";
        using var request = new HttpRequestMessage(method, path) { Headers = { { Header, id } } };
        using var response = await client.SendAsync(request, Cancelled);
        Assert.True(response.StatusCode == status, $"{method} {path} answers {response.StatusCode}");
        Assert.True(response.Headers.TryGetValues(Header, out var answered) && answered.SequenceEqual([id]), $"{method} {path} ({status}) does not echo the id");
    }
}
