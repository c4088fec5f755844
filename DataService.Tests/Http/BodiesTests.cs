using System.Text;
using DataService.Tests.Support;

namespace DataService.Tests.Http;

/// <summary>Bodies as nobody should send them.</summary>
public sealed class BodiesTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Theory]
    [InlineData("""{ "name": "a\u0000b" }""")]
    [InlineData("""{ "name": "a\ud800b" }""")]
    [InlineData("""{ "name": "\udc00" }""")]
    [InlineData("""{ "name": 5 }""")]
    [InlineData("""{ "name": 1e400 }""")]
    [InlineData("""{ "name": ["Acme"] }""")]
    [InlineData("""{ "name": { "name": "Acme" } }""")]
    [InlineData("""{ "name": null }""")]
    [InlineData("""{ "name": "" }""")]
    [InlineData("""{ "name": "\uffff" }""")]
    [InlineData("""{ "name": "\t" }""")]
    [InlineData("""{}""")]
    public async Task A_value_that_does_not_fit_answers_400_with_a_text_for_its_field(string body)
    {
        var problem = await (await PostAsync(body)).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");

        var (field, texts) = Assert.Single(problem.GetProperty("errors").EnumerateObject().Select(error => (error.Name, error.Value)));
        Assert.Equal("name", field);
        Assert.All(texts.EnumerateArray(), text => Assert.Matches(@"\A[A-Za-z][^$]+\.\z", text.GetString()));
    }

    [Fact]
    public async Task Every_field_that_does_not_fit_has_its_text()
    {
        var response = await Service.Http.GetAsync("/projects?limit=0&offset=-1&status=none", Cancelled);

        var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");

        Assert.Equal(["limit", "offset", "status"], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name).Order());
    }

    [Fact]
    public async Task What_the_service_does_not_know_is_ignored()
    {
        var created = await (await PostAsync("""{ "id": "x", "name": "Acme", "Status": "active", "more": { "deep": [1, null] } }""")).ReadAsync(HttpStatusCode.Created);

        Assert.Equal(("Acme", "interviewing"), (created.GetProperty("name").GetString(), created.GetProperty("status").GetString()));
    }

    [Theory]
    [InlineData("requeue")]
    [InlineData("enqueue-missing")]
    [InlineData("reconcile")]
    public async Task Where_much_is_changed_at_once_what_the_service_does_not_know_is_refused(string path) =>
        await (await Service.Http.PostAsync($"/repo-creations/{path}", Bodies.Json("""{ "dry_run": true }"""), Cancelled)).ReadInvalidAsync("dry_run");

    [Fact]
    public async Task The_last_of_a_key_that_stands_twice_counts() =>
        Assert.Equal("Second", (await (await PostAsync("""{ "name": "First", "name": "Second" }"""))
            .ReadAsync(HttpStatusCode.Created)).GetProperty("name").GetString());

    [Theory]
    [InlineData(65)]
    [InlineData(100_000)]
    public async Task JSON_that_is_too_deep_answers_400(int depth)
    {
        foreach (var (open, close) in ((string, string)[])[("[", "]"), ("{\"a\":", "}")])
        {
            var nested = string.Concat(Enumerable.Repeat(open, depth)) + "1" + string.Concat(Enumerable.Repeat(close, depth));
            await (await PostAsync($$"""{ "name": "Acme", "more": {{nested}} }""")).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
        }
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF_8_answer_400()
    {
        byte[][] bodies =
        [
            [.. "{ \"name\": \""u8, 0xff, 0xfe, .. "\" }"u8],
            [.. "{ \"name\": \"a"u8, 0xed, 0xa0, 0x80, .. "\" }"u8],
            [.. "{ \"name\": \"a"u8, 0xc0, 0x80, .. "\" }"u8],
            Encoding.Unicode.GetBytes("""{ "name": "Acme" }"""),
        ];

        await Assert.AllAsync(bodies, async body => await (await SendAsync(body, "application/json")).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR"));
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("iso-8859-1")]
    [InlineData("utf-7")]
    [InlineData("no-such-charset")]
    [InlineData("\"\"")]
    public async Task A_charset_other_than_UTF_8_answers_415(string charset)
    {
        var response = await SendAsync(Encoding.UTF8.GetBytes("""{ "name": "Acme" }"""), $"application/json; charset={charset}");

        await response.ReadProblemAsync(HttpStatusCode.UnsupportedMediaType, "VALIDATION_ERROR");
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("application/json; charset=\"UTF-8\"")]
    [InlineData("application/json;profile=x")]
    [InlineData("application/vnd.acme+json")]
    public async Task JSON_in_UTF_8_is_JSON_under_each_of_its_names(string type) =>
        await (await SendAsync(Encoding.UTF8.GetBytes("""{ "name": "Żółć" }"""), type)).ReadAsync(HttpStatusCode.Created);

    private async Task<HttpResponseMessage> SendAsync(byte[] body, string type)
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return await Service.Http.PostAsync("/projects", content, Cancelled);
    }

    private Task<HttpResponseMessage> PostAsync(string body) => SendAsync(Encoding.UTF8.GetBytes(body), "application/json");
}
