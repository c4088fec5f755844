using System.Globalization;
using System.Text;
using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Specs;

public sealed class SpecsTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task There_is_no_spec_before_the_first_is_written()
    {
        var slug = await Service.CreateProjectAsync("Acme");

        await (await Service.Http.GetAsync($"/projects/{slug}/spec", Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
    }

    [Fact]
    public async Task A_written_spec_is_version_1_and_is_answered_whole()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        var project = await Service.GetProjectAsync(slug);

        var spec = await (await WriteAsync(slug, "# Shop\r\n\n- \"żółć\" 🚀\t<b>")).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["id", "projectId", "contentMarkdown", "version", "createdAt"], spec.EnumerateObject().Select(member => member.Name));
        Assert.True(Guid.TryParseExact(spec.GetProperty("id").GetString(), "D", out _));
        Assert.Equal(project.GetProperty("id").GetString(), spec.GetProperty("projectId").GetString());
        Assert.Equal("# Shop\r\n\n- \"żółć\" 🚀\t<b>", spec.GetProperty("contentMarkdown").GetString());
        Assert.Equal(1, spec.GetProperty("version").GetInt32());
        var createdAt = spec.GetProperty("createdAt").GetString()!;
        Assert.EndsWith("Z", createdAt, StringComparison.Ordinal);
        Assert.True(DateTime.TryParse(createdAt, CultureInfo.InvariantCulture, out _));
        Assert.Equal(spec.GetRawText(), (await ReadAsync(slug)).GetRawText());
    }

    [Fact]
    public async Task Each_write_adds_a_version_and_the_latest_is_read()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        var other = await Service.CreateProjectAsync("Other");
        await WriteAsync(other, "Not mine");

        for (var version = 1; version <= 3; version++)
        {
            var written = await (await WriteAsync(slug, $"Text {version}")).ReadAsync(HttpStatusCode.OK);
            Assert.Equal(version, written.GetProperty("version").GetInt32());
        }

        var latest = await ReadAsync(slug);
        Assert.Equal((3, "Text 3"), (latest.GetProperty("version").GetInt32(), latest.GetProperty("contentMarkdown").GetString()));
        Assert.Equal(3L, await Service.QueryAsync<long>("SELECT count(*) FROM specs JOIN projects ON projects.id = project_id WHERE slug = 'acme'"));
        Assert.Equal(1, (await ReadAsync(other)).GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task Eight_writers_at_once_add_eight_versions_and_lose_none()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        await WriteAsync(slug, "First");

        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => WriteAsync(slug, $"Writer {writer}")));

        var written = new List<JsonElement>();
        foreach (var response in responses)
            written.Add(await response.ReadAsync(HttpStatusCode.OK));
        Assert.Equal(Enumerable.Range(2, 8), written.Select(spec => spec.GetProperty("version").GetInt32()).Order());
        Assert.Equal(Enumerable.Range(0, 8).Select(writer => $"Writer {writer}"), written.Select(spec => spec.GetProperty("contentMarkdown").GetString()!));
        Assert.Equal(9L, await Service.QueryAsync<long>("SELECT count(DISTINCT content_markdown) FROM specs"));
        Assert.Equal(9, (await ReadAsync(slug)).GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task A_text_of_a_megabyte_is_kept_to_the_letter()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        var text = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"line {i % 10}żó\n"));

        await (await WriteAsync(slug, text)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(text, (await ReadAsync(slug)).GetProperty("contentMarkdown").GetString());
    }

    [Fact]
    public async Task A_text_that_does_not_fit_answers_400_and_adds_no_version()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        string[] bodies =
        [
            """{}""",
            """{ "contentMarkdown": null }""",
            """{ "contentMarkdown": "" }""",
            """{ "contentMarkdown": 1 }""",
            """{ "contentMarkdown": "a\u0000b" }""",
            """{ "contentMarkdown": "a\ud800b" }""",
        ];

        await Assert.AllAsync(bodies, async body =>
        {
            var response = await Service.Http.PutAsync($"/projects/{slug}/spec", new StringContent(body, Encoding.UTF8, "application/json"), Cancelled);
            var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
            Assert.Equal(["contentMarkdown"], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
        });

        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM specs"));
    }

    [Fact]
    public async Task An_unknown_project_answers_404()
    {
        await (await Service.Http.GetAsync("/projects/nobody/spec", Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        await (await WriteAsync("nobody", "Text")).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
    }

    private Task<HttpResponseMessage> WriteAsync(string slug, string contentMarkdown) =>
        Service.Http.PutAsJsonAsync($"/projects/{slug}/spec", new { contentMarkdown }, Cancelled);

    private async Task<JsonElement> ReadAsync(string slug) =>
        await (await Service.Http.GetAsync($"/projects/{slug}/spec", Cancelled)).ReadAsync(HttpStatusCode.OK);
}
