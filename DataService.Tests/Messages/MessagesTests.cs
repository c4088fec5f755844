using System.Globalization;
using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Messages;

public sealed class MessagesTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task A_project_has_no_messages_at_first() => Assert.Equal("""{"data":[]}""", (await ListAsync("acme")).GetRawText());

    [Fact]
    public async Task An_added_message_is_answered_whole()
    {
        var project = await Service.GetProjectAsync("acme");

        var response = await PostAsync("""{ "role": "assistant", "content": "What is\r\n\tyour \"żółć\" 🚀?", "phase": "vision", "id": 1 }""");

        var message = await response.ReadAsync(HttpStatusCode.Created);
        Assert.Equal(["id", "projectId", "role", "content", "phase", "createdAt"], message.EnumerateObject().Select(member => member.Name));
        Assert.True(Guid.TryParseExact(message.GetProperty("id").GetString(), "D", out _));
        Assert.Equal(project.GetProperty("id").GetString(), message.GetProperty("projectId").GetString());
        Assert.Equal("assistant", message.GetProperty("role").GetString());
        Assert.Equal("What is\r\n\tyour \"żółć\" 🚀?", message.GetProperty("content").GetString());
        Assert.Equal("vision", message.GetProperty("phase").GetString());
        var createdAt = message.GetProperty("createdAt").GetString()!;
        Assert.EndsWith("Z", createdAt, StringComparison.Ordinal);
        Assert.True(DateTime.TryParse(createdAt, CultureInfo.InvariantCulture, out _));
        Assert.Equal($$"""{"data":[{{message.GetRawText()}}]}""", (await ListAsync("acme")).GetRawText());
    }

    [Theory]
    [InlineData("user")]
    [InlineData("assistant")]
    [InlineData("system")]
    public async Task Each_role_is_kept_and_a_phase_that_is_absent_is_null(string role)
    {
        foreach (var body in (object[])[new { role, content = " " }, new { role, content = " ", phase = (string?)null }])
        {
            var message = await (await Service.Http.PostAsJsonAsync("/projects/acme/messages", body, Cancelled)).ReadAsync(HttpStatusCode.Created);

            Assert.Equal((role, " "), (message.GetProperty("role").GetString(), message.GetProperty("content").GetString()));
            Assert.Equal(JsonValueKind.Null, message.GetProperty("phase").ValueKind);
        }
    }

    [Fact]
    public async Task A_phase_of_fifty_characters_and_a_text_of_hundreds_of_kilobytes_are_kept_to_the_letter()
    {
        var (content, phase) = (string.Concat(Enumerable.Repeat("żó\n", 60_000)), new string('p', 50));

        var message = await (await Service.Http.PostAsJsonAsync("/projects/acme/messages", new { role = "user", content, phase }, Cancelled)).ReadAsync(HttpStatusCode.Created);

        Assert.Equal((content, phase), (message.GetProperty("content").GetString(), message.GetProperty("phase").GetString()));
    }

    [Fact]
    public async Task Messages_come_oldest_first_and_each_project_has_its_own()
    {
        await Service.CreateProjectAsync("Other");
        await Service.Http.PostAsJsonAsync("/projects/other/messages", new { role = "user", content = "Not mine" }, Cancelled);
        var contents = Enumerable.Range(0, 20).Select(i => $"Message {i}").ToList();
        foreach (var content in contents)
            await Service.Http.PostAsJsonAsync("/projects/acme/messages", new { role = "user", content }, Cancelled);

        Assert.Equal(contents, Contents(await ListAsync("acme")));
        Assert.Equal(["Not mine"], Contents(await ListAsync("other")));
    }

    [Fact]
    public async Task Messages_that_come_at_once_are_all_kept_in_the_order_of_their_times()
    {
        var responses = await Task.WhenAll(Enumerable.Range(0, 16).Select(i =>
            Service.Http.PostAsJsonAsync("/projects/acme/messages", new { role = "user", content = $"Message {i}" }, Cancelled)));

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.Created, response.StatusCode));
        var messages = (await ListAsync("acme")).GetProperty("data").EnumerateArray().ToList();
        Assert.Equal(16, messages.DistinctBy(message => message.GetProperty("content").GetString()).Count());
        Assert.Equal(messages.OrderBy(message => message.GetProperty("createdAt").GetDateTime()), messages);
    }

    [Fact]
    public async Task A_message_that_does_not_fit_answers_400_names_the_field_and_is_not_added()
    {
        (string Body, string Field)[] bodies =
        [
            ("""{ "content": "A" }""", "role"),
            ("""{ "role": null, "content": "A" }""", "role"),
            ("""{ "role": "", "content": "A" }""", "role"),
            ("""{ "role": "User", "content": "A" }""", "role"),
            ("""{ "role": "0", "content": "A" }""", "role"),
            ("""{ "role": 0, "content": "A" }""", "role"),
            ("""{ "role": "tool", "content": "A" }""", "role"),
            ("""{ "role": "user" }""", "content"),
            ("""{ "role": "user", "content": null }""", "content"),
            ("""{ "role": "user", "content": "" }""", "content"),
            ("""{ "role": "user", "content": 5 }""", "content"),
            ("""{ "role": "user", "content": ["A"] }""", "content"),
            ("""{ "role": "user", "content": "a\u0000b" }""", "content"),
            ("""{ "role": "user", "content": "a\u001bb" }""", "content"),
            ("""{ "role": "user", "content": "a\ud800b" }""", "content"),
            ("""{ "role": "user", "content": "A", "phase": 5 }""", "phase"),
            ("""{ "role": "user", "content": "A", "phase": "a\u0000b" }""", "phase"),
            ("""{ "role": "user", "content": "A", "phase": "a\nb" }""", "phase"),
            ($$"""{ "role": "user", "content": "A", "phase": "{{new string('p', 51)}}" }""", "phase"),
        ];

        await Assert.AllAsync(bodies, async body => await (await PostAsync(body.Body)).ReadInvalidAsync(body.Field));

        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM messages"));
    }

    [Fact]
    public async Task An_unknown_project_answers_404()
    {
        await (await Service.Http.GetAsync("/projects/nobody/messages", Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        var response = await Service.Http.PostAsJsonAsync("/projects/nobody/messages", new { role = "user", content = "A" }, Cancelled);
        await response.ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
    }

    [Fact]
    public async Task A_message_to_a_project_that_is_deleted_meanwhile_is_kept_with_it_or_refused()
    {
        for (var round = 0; round < 10; round++)
        {
            var slug = await Service.CreateProjectAsync($"Short-lived {round}");

            var adding = Enumerable.Range(0, 4).Select(_ => Service.Http.PostAsJsonAsync($"/projects/{slug}/messages", new { role = "user", content = "A" }, Cancelled)).ToList();
            var deleted = await Service.Http.DeleteAsync($"/projects/{slug}", Cancelled);

            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
            Assert.All(await Task.WhenAll(adding), response => Assert.True(response.StatusCode is HttpStatusCode.Created or HttpStatusCode.NotFound, $"{response.StatusCode}"));
        }

        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM messages"));
    }

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Service.CreateProjectAsync("Acme");
    }

    private static IEnumerable<string> Contents(JsonElement messages) =>
        messages.GetProperty("data").EnumerateArray().Select(message => message.GetProperty("content").GetString()!);

    private Task<HttpResponseMessage> PostAsync(string body) => Service.Http.PostAsync("/projects/acme/messages", Bodies.Json(body), Cancelled);

    private async Task<JsonElement> ListAsync(string slug) =>
        await (await Service.Http.GetAsync($"/projects/{slug}/messages", Cancelled)).ReadAsync(HttpStatusCode.OK);
}
