using System.Globalization;
using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Tasks;

public sealed class TasksTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private static readonly string[] Members =
        ["id", "projectId", "title", "description", "status", "githubIssueNumber", "githubIssueUrl", "sortOrder", "createdAt"];

    private static readonly string[] UnfitTitles =
    [
        "null", "\"\"", "\"  \\n \"", "5", "true", "{}", "[\"Title\"]", "\"Ti\\u0000tle\"", "\"Ti\\ntle\"", "\"Ti\\u001btle\"", "\"Ti\\ud800tle\"",
        $"\"{new string('t', 201)}\"",
    ];

    private static readonly string[] UnfitDescriptions =
        ["5", "false", "{}", "[\"Text\"]", "\"a\\u0000b\"", "\"a\\u0007b\"", "\"a\\ud800b\"", $"\"{new string('d', 60_001)}\""];

    [Fact]
    public async Task A_project_has_no_tasks_at_first()
    {
        await Service.CreateProjectAsync("Acme");

        Assert.Equal("[]", (await Service.ListTasksAsync("acme")).GetRawText());
    }

    [Fact]
    public async Task An_added_task_is_pending_and_is_answered_whole()
    {
        await Service.CreateProjectAsync("Acme");
        var project = await Service.GetProjectAsync("acme");

        var response = await PostAsync("""{ "title": " Build \"żółć\" 🚀 ", "description": "Line one\r\n\tline two" }""");

        var task = await response.ReadAsync(HttpStatusCode.Created);
        Assert.Equal(Members, task.EnumerateObject().Select(member => member.Name));
        Assert.True(Guid.TryParseExact(task.GetProperty("id").GetString(), "D", out _));
        Assert.Equal($"/projects/acme/tasks/{Id(task)}", response.Headers.Location?.OriginalString);
        Assert.Equal(project.GetProperty("id").GetString(), task.GetProperty("projectId").GetString());
        Assert.Equal("Build \"żółć\" 🚀", Text(task, "title"));
        Assert.Equal("Line one\r\n\tline two", Text(task, "description"));
        Assert.Equal("pending", Text(task, "status"));
        Assert.Equal(JsonValueKind.Null, task.GetProperty("githubIssueNumber").ValueKind);
        Assert.Equal(JsonValueKind.Null, task.GetProperty("githubIssueUrl").ValueKind);
        Assert.Equal(0, SortOrder(task));
        var createdAt = Text(task, "createdAt")!;
        Assert.EndsWith("Z", createdAt, StringComparison.Ordinal);
        Assert.True(DateTime.TryParse(createdAt, CultureInfo.InvariantCulture, out _));
        Assert.Equal($"[{task.GetRawText()}]", (await Service.ListTasksAsync("acme")).GetRawText());
    }

    [Fact]
    public async Task A_task_without_a_description_has_null_for_it()
    {
        await Service.CreateProjectAsync("Acme");

        foreach (var body in (string[])["""{ "title": "A" }""", """{ "title": "A", "description": null, "sortOrder": null, "status": "done", "other": [] }"""])
        {
            var task = await (await PostAsync(body)).ReadAsync(HttpStatusCode.Created);
            Assert.Equal((JsonValueKind.Null, "pending"), (task.GetProperty("description").ValueKind, Text(task, "status")));
        }
    }

    [Fact]
    public async Task A_title_of_two_hundred_characters_and_a_description_of_sixty_thousand_are_taken()
    {
        await Service.CreateProjectAsync("Acme");
        var (title, description) = (new string('t', 200), new string('d', 60_000));

        var task = await (await Service.Http.PostAsJsonAsync("/projects/acme/tasks", new { title, description }, Cancelled)).ReadAsync(HttpStatusCode.Created);

        Assert.Equal((title, description), (Text(task, "title"), Text(task, "description")));
    }

    [Fact]
    public async Task Tasks_are_appended_unless_told_where()
    {
        await Service.CreateProjectAsync("Acme");
        await Service.CreateProjectAsync("Other");
        await Service.AddTaskAsync("other", "Not mine", sortOrder: 50);

        await Service.AddTaskAsync("acme", "first");
        await Service.AddTaskAsync("acme", "second");
        await Service.AddTaskAsync("acme", "seventh", sortOrder: 7);
        await Service.AddTaskAsync("acme", "eighth");
        await Service.AddTaskAsync("acme", "beside the first", sortOrder: 0);

        var tasks = await Service.ListTasksAsync("acme");
        Assert.Equal([("first", 0), ("beside the first", 0), ("second", 1), ("seventh", 7), ("eighth", 8)], TitlesAndPlaces(tasks));
    }

    [Fact]
    public async Task Tasks_of_the_same_place_stand_in_the_order_of_their_creation()
    {
        await Service.CreateProjectAsync("Acme");
        var titles = Enumerable.Range(0, 20).Select(i => $"Task {i}").ToList();
        foreach (var title in titles)
            await Service.AddTaskAsync("acme", title, sortOrder: 3);

        Assert.Equal(titles, Titles(await Service.ListTasksAsync("acme")));
    }

    [Fact]
    public async Task Behind_the_last_number_there_is_still_a_place()
    {
        await Service.CreateProjectAsync("Acme");
        await Service.AddTaskAsync("acme", "last", sortOrder: int.MaxValue);

        await Service.AddTaskAsync("acme", "behind");

        Assert.Equal(["last", "behind"], Titles(await Service.ListTasksAsync("acme")));
    }

    [Fact]
    public async Task Sixteen_appends_at_once_get_sixteen_places()
    {
        await Service.CreateProjectAsync("Acme");

        var added = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Service.AddTaskAsync("acme", $"Task {i}")));

        Assert.Equal(Enumerable.Range(0, 16), added.Select(SortOrder).Order());
    }

    [Fact]
    public async Task A_task_that_does_not_fit_answers_400_names_the_field_and_is_not_added()
    {
        await Service.CreateProjectAsync("Acme");
        (string Body, string Field)[] bodies =
        [
            ("{}", "title"),
            .. UnfitTitles.Select(value => ($$"""{ "title": {{value}} }""", "title")),
            .. UnfitDescriptions.Select(value => ($$"""{ "title": "A", "description": {{value}} }""", "description")),
            ("""{ "title": "A", "sortOrder": -1 }""", "sortOrder"),
            ("""{ "title": "A", "sortOrder": 1.5 }""", "sortOrder"),
            ("""{ "title": "A", "sortOrder": 2147483648 }""", "sortOrder"),
            ("""{ "title": "A", "sortOrder": "first" }""", "sortOrder"),
            ("""{ "title": "A", "sortOrder": [1] }""", "sortOrder"),
        ];

        await Assert.AllAsync(bodies, async body => await (await PostAsync(body.Body)).ReadInvalidAsync(body.Field));

        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM tasks"));
    }

    [Fact]
    public async Task All_fields_that_do_not_fit_are_named_at_once()
    {
        await Service.CreateProjectAsync("Acme");
        var task = await Service.AddTaskAsync("acme", "A");

        var added = await (await PostAsync("""{ "title": "", "description": "\u0000", "sortOrder": -1 }""")).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
        var changed = await (await PatchAsync(task, """{ "title": null, "description": "\u0000", "status": null }""")).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");

        Assert.Equal(["description", "sortOrder", "title"], added.GetProperty("errors").EnumerateObject().Select(error => error.Name).Order());
        Assert.Equal(["description", "status", "title"], changed.GetProperty("errors").EnumerateObject().Select(error => error.Name).Order());
    }

    [Fact]
    public async Task A_change_touches_what_is_given_and_nothing_else()
    {
        await Service.CreateProjectAsync("Acme");
        var task = await Service.AddTaskAsync("acme", "Title", "Text", 4);
        await Service.QueryAsync<object>("UPDATE tasks SET github_issue_number = 7, github_issue_url = 'https://github.com/o/r/issues/7'");
        (string Body, string Title, string? Description, string Status)[] steps =
        [
            ("""{}""", "Title", "Text", "pending"),
            ("""{ "title": "  Other " }""", "Other", "Text", "pending"),
            ("""{ "status": "in progress" }""", "Other", "Text", "in progress"),
            ("""{ "description": null }""", "Other", null, "in progress"),
            ("""{ "description": "New" }""", "Other", "New", "in progress"),
            ("""{ "description": "" }""", "Other", "", "in progress"),
            ("""{ "title": "A", "description": "B", "status": "done" }""", "A", "B", "done"),
            ("""{ "id": "x", "sortOrder": 9, "projectId": null, "githubIssueNumber": 1, "hasDescription": true }""", "A", "B", "done"),
        ];

        foreach (var step in steps)
        {
            var changed = await (await PatchAsync(task, step.Body)).ReadAsync(HttpStatusCode.OK);

            Assert.Equal((step.Title, step.Description, step.Status), (Text(changed, "title"), Text(changed, "description"), Text(changed, "status")));
            Assert.Equal((Id(task), Text(task, "createdAt"), 4), (Id(changed), Text(changed, "createdAt"), SortOrder(changed)));
            Assert.Equal((7, "https://github.com/o/r/issues/7"), (changed.GetProperty("githubIssueNumber").GetInt32(), Text(changed, "githubIssueUrl")));
            Assert.Equal(Members, changed.EnumerateObject().Select(member => member.Name));
            Assert.Equal($"[{changed.GetRawText()}]", (await Service.ListTasksAsync("acme")).GetRawText());
        }
    }

    [Fact]
    public async Task A_change_that_does_not_fit_answers_400_names_the_field_and_changes_nothing()
    {
        await Service.CreateProjectAsync("Acme");
        var task = await Service.AddTaskAsync("acme", "Title", "Text");
        string[] unfitStatuses = ["null", "\"\"", "\" \"", "5", "{}", "[\"done\"]", "\"do\\u0000ne\"", "\"do\\nne\"", $"\"{new string('s', 51)}\""];
        (string Body, string Field)[] bodies =
        [
            .. UnfitTitles.Select(value => ($$"""{ "description": "Changed", "title": {{value}} }""", "title")),
            .. UnfitDescriptions.Select(value => ($$"""{ "title": "Changed", "description": {{value}} }""", "description")),
            .. unfitStatuses.Select(value => ($$"""{ "title": "Changed", "status": {{value}} }""", "status")),
        ];

        await Assert.AllAsync(bodies, async body => await (await PatchAsync(task, body.Body)).ReadInvalidAsync(body.Field));
        foreach (var body in (string[])["", "null", "[]", "\"title\"", "{", "{ \"title\": }"])
            await (await PatchAsync(task, body)).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");

        Assert.Equal($"[{task.GetRawText()}]", (await Service.ListTasksAsync("acme")).GetRawText());
    }

    [Fact]
    public async Task Changes_of_different_properties_at_once_are_all_kept()
    {
        await Service.CreateProjectAsync("Acme");
        for (var round = 0; round < 10; round++)
        {
            var task = await Service.AddTaskAsync("acme", "Title", "Text");

            var responses = await Task.WhenAll(
                PatchAsync(task, """{ "title": "Other" }"""), PatchAsync(task, """{ "description": null }"""), PatchAsync(task, """{ "status": "done" }"""));

            Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
            var kept = (await Service.ListTasksAsync("acme")).EnumerateArray().Last();
            Assert.Equal(("Other", null, "done"), (Text(kept, "title"), Text(kept, "description"), Text(kept, "status")));
        }
    }

    [Fact]
    public async Task A_deleted_task_is_gone_and_the_others_stay()
    {
        await Service.CreateProjectAsync("Acme");
        var task = await Service.AddTaskAsync("acme", "Gone");
        await Service.AddTaskAsync("acme", "Stays");

        var response = await DeleteAsync("acme", Id(task));

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancelled));
        Assert.Equal([("Stays", 1)], TitlesAndPlaces(await Service.ListTasksAsync("acme")));
        await (await DeleteAsync("acme", Id(task))).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        await (await PatchAsync(task, """{ "title": "Back" }""")).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
    }

    [Fact]
    public async Task A_task_that_is_changed_and_deleted_at_once_is_deleted_once()
    {
        await Service.CreateProjectAsync("Acme");
        for (var round = 0; round < 10; round++)
        {
            var task = await Service.AddTaskAsync("acme", "Contended");

            var changing = PatchAsync(task, """{ "status": "done" }""");
            var deleting = await Task.WhenAll(DeleteAsync("acme", Id(task)), DeleteAsync("acme", Id(task)));

            Assert.Equal([HttpStatusCode.NoContent, HttpStatusCode.NotFound], deleting.Select(response => response.StatusCode).Order());
            Assert.Contains((await changing).StatusCode, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.NotFound]);
        }

        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM tasks"));
    }

    [Fact]
    public async Task A_task_is_reached_under_its_own_project_alone()
    {
        await Service.CreateProjectAsync("Acme");
        await Service.CreateProjectAsync("Other");
        var task = await Service.AddTaskAsync("acme", "Mine");

        await (await DeleteAsync("other", Id(task))).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        var patched = await Service.Http.PatchAsync($"/projects/other/tasks/{Id(task)}", Bodies.Json("""{ "title": "Stolen" }"""), Cancelled);
        await patched.ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");

        Assert.Equal("[]", (await Service.ListTasksAsync("other")).GetRawText());
        Assert.Equal($"[{task.GetRawText()}]", (await Service.ListTasksAsync("acme")).GetRawText());
    }

    [Fact]
    public async Task What_is_no_uuid_is_no_task()
    {
        await Service.CreateProjectAsync("Acme");
        await Service.AddTaskAsync("acme", "Mine");

        await Assert.AllAsync((string[])["1", "no-uuid", "00000000-0000-0000-0000-00000000000g", "%20", "'%20OR%201=1--", Guid.NewGuid().ToString()], async id =>
        {
            await (await DeleteAsync("acme", id)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
            var patched = await Service.Http.PatchAsync($"/projects/acme/tasks/{id}", Bodies.Json("""{ "title": "A" }"""), Cancelled);
            await patched.ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        });

        Assert.Single((await Service.ListTasksAsync("acme")).EnumerateArray());
    }

    [Fact]
    public async Task An_unknown_project_answers_404()
    {
        HttpResponseMessage[] responses =
        [
            await Service.Http.GetAsync("/projects/nobody/tasks", Cancelled),
            await Service.Http.PostAsJsonAsync("/projects/nobody/tasks", new { title = "A" }, Cancelled),
            await Service.Http.PatchAsJsonAsync($"/projects/nobody/tasks/{Guid.NewGuid()}", new { title = "A" }, Cancelled),
            await DeleteAsync("nobody", Guid.NewGuid().ToString()),
        ];

        await Assert.AllAsync(responses, async response => await response.ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND"));
    }

    [Fact]
    public async Task The_tasks_go_with_their_project()
    {
        await Service.CreateProjectAsync("Acme");
        await Service.AddTaskAsync("acme", "A");

        await Service.Http.DeleteAsync("/projects/acme", Cancelled);

        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM tasks"));
    }

    internal static IEnumerable<string> Titles(JsonElement tasks) => tasks.EnumerateArray().Select(task => Text(task, "title")!);

    internal static IEnumerable<(string Title, int SortOrder)> TitlesAndPlaces(JsonElement tasks) =>
        tasks.EnumerateArray().Select(task => (Text(task, "title")!, SortOrder(task)));

    internal static string Id(JsonElement task) => Text(task, "id")!;

    private static string? Text(JsonElement task, string member) => task.GetProperty(member).GetString();

    private static int SortOrder(JsonElement task) => task.GetProperty("sortOrder").GetInt32();

    private Task<HttpResponseMessage> PostAsync(string body) => Service.Http.PostAsync("/projects/acme/tasks", Bodies.Json(body), Cancelled);

    private Task<HttpResponseMessage> PatchAsync(JsonElement task, string body) =>
        Service.Http.PatchAsync($"/projects/acme/tasks/{Id(task)}", Bodies.Json(body), Cancelled);

    private Task<HttpResponseMessage> DeleteAsync(string slug, string taskId) => Service.Http.DeleteAsync($"/projects/{slug}/tasks/{taskId}", Cancelled);
}
