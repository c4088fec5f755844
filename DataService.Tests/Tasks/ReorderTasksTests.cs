using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Tasks;

public sealed class ReorderTasksTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task The_tasks_stand_as_they_are_listed_and_are_numbered_from_0()
    {
        var (a, b, c) = (await AddAsync("a", 5), await AddAsync("b", 5), await AddAsync("c", 9));

        var tasks = await (await ReorderAsync(c, a, b)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal([("c", 0), ("a", 1), ("b", 2)], TasksTests.TitlesAndPlaces(tasks));
        Assert.Equal(tasks.GetRawText(), (await Service.ListTasksAsync("acme")).GetRawText());
    }

    [Fact]
    public async Task Tasks_that_are_not_listed_follow_in_their_order()
    {
        var (_, _, c, _, e) = (await AddAsync("a", 1), await AddAsync("b", 0), await AddAsync("c", 2), await AddAsync("d", 1), await AddAsync("e", 3));

        var tasks = await (await ReorderAsync(e, c)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal([("e", 0), ("c", 1), ("b", 2), ("a", 3), ("d", 4)], TasksTests.TitlesAndPlaces(tasks));
    }

    [Fact]
    public async Task Other_projects_keep_their_order()
    {
        var (a, b) = (await AddAsync("a", 3), await AddAsync("b", 4));
        await Service.CreateProjectAsync("Other");
        await Service.AddTaskAsync("other", "x", sortOrder: 7);

        await (await ReorderAsync(b, a)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal([("x", 7)], TasksTests.TitlesAndPlaces(await Service.ListTasksAsync("other")));
    }

    [Fact]
    public async Task A_list_that_does_not_fit_answers_400_and_changes_nothing()
    {
        var (a, b) = (await AddAsync("a", 3), await AddAsync("b", 4));
        await Service.CreateProjectAsync("Other");
        var foreign = TasksTests.Id(await Service.AddTaskAsync("other", "x", sortOrder: 7));
        var before = (await Service.ListTasksAsync("acme")).GetRawText();
        string[] bodies =
        [
            """{}""",
            """{ "taskIds": null }""",
            """{ "taskIds": [] }""",
            """{ "taskIds": "" }""",
            """{ "taskIds": {} }""",
            """{ "taskIds": [null] }""",
            """{ "taskIds": [1] }""",
            """{ "taskIds": ["no-uuid"] }""",
            """{ "taskIds": [["no-uuid"]] }""",
            $$"""{ "taskIds": ["{{b}}", "{{b}}"] }""",
            $$"""{ "taskIds": ["{{b}}", "{{a}}", "{{b}}"] }""",
            $$"""{ "taskIds": ["{{b}}", "{{a}}", "{{foreign}}"] }""",
            $$"""{ "taskIds": ["{{Guid.NewGuid()}}", "{{b}}", "{{a}}"] }""",
            $$"""{ "taskIds": ["{{Guid.NewGuid()}}"] }""",
            $$"""{ "taskIds": ["{{foreign}}"] }""",
        ];

        await Assert.AllAsync(bodies, async body => await (await PutAsync("acme", body)).ReadInvalidAsync("taskIds"));

        Assert.Equal(before, (await Service.ListTasksAsync("acme")).GetRawText());
        Assert.Equal([("x", 7)], TasksTests.TitlesAndPlaces(await Service.ListTasksAsync("other")));
    }

    [Fact]
    public async Task Where_there_are_no_tasks_every_id_is_unknown() =>
        await (await PutAsync("acme", $$"""{ "taskIds": ["{{Guid.NewGuid()}}"] }""")).ReadInvalidAsync("taskIds");

    [Fact]
    public async Task An_unknown_project_answers_404() =>
        await (await PutAsync("nobody", $$"""{ "taskIds": ["{{Guid.NewGuid()}}"] }""")).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");

    [Fact]
    public async Task A_thousand_tasks_are_reordered_at_once()
    {
        await Service.QueryAsync<object>(
            """
            INSERT INTO tasks (id, project_id, title, status, sort_order, created_at)
            SELECT gen_random_uuid(), id, 'Task ' || i, 'pending', i, now() FROM projects, generate_series(1, 1000) i
            """);
        var reversed = (await Service.ListTasksAsync("acme")).EnumerateArray().Select(TasksTests.Id).Reverse().ToArray();

        var tasks = await (await ReorderAsync(reversed)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(reversed, tasks.EnumerateArray().Select(TasksTests.Id));
    }

    [Fact]
    public async Task Reorders_and_appends_at_once_leave_one_of_the_orders_and_every_place_once()
    {
        var ids = new List<string>();
        for (var i = 0; i < 8; i++)
            ids.Add(await AddAsync($"Task {i}", i));
        var orders = Enumerable.Range(0, 8).Select(turn => (string[])[.. ids.Skip(turn), .. ids.Take(turn)]).ToList();

        var reorders = orders.Select(order => ReorderAsync(order)).ToList();
        var appends = Enumerable.Range(0, 8).Select(i => Service.AddTaskAsync("acme", $"New {i}")).ToList();
        foreach (var response in await Task.WhenAll(reorders))
            await response.ReadAsync(HttpStatusCode.OK);
        await Task.WhenAll(appends);

        var tasks = (await Service.ListTasksAsync("acme")).EnumerateArray().ToList();
        Assert.Contains((string[])[.. tasks.Take(8).Select(TasksTests.Id)], orders);
        Assert.Equal(Enumerable.Range(0, 16), tasks.Select(task => task.GetProperty("sortOrder").GetInt32()));
    }

    [Fact]
    public async Task Reorders_and_deletions_at_once_answer_nothing_unforeseen()
    {
        var ids = new List<string>();
        for (var i = 0; i < 8; i++)
            ids.Add(await AddAsync($"Task {i}", i));

        var deletions = ids.Take(4).Select(id => Service.Http.DeleteAsync($"/projects/acme/tasks/{id}", Cancelled)).ToList();
        var reorders = Enumerable.Range(0, 8).Select(_ => ReorderAsync([.. ids])).ToList();

        Assert.All(await Task.WhenAll(deletions), response => Assert.Equal(HttpStatusCode.NoContent, response.StatusCode));
        Assert.All(await Task.WhenAll(reorders), response => Assert.True(response.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest, $"{response.StatusCode}"));
        Assert.Equal(ids.Skip(4), (await Service.ListTasksAsync("acme")).EnumerateArray().Select(TasksTests.Id));
    }

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await Service.CreateProjectAsync("Acme");
    }

    private async Task<string> AddAsync(string title, int sortOrder) => TasksTests.Id(await Service.AddTaskAsync("acme", title, sortOrder: sortOrder));

    private Task<HttpResponseMessage> ReorderAsync(params string[] taskIds) =>
        PutAsync("acme", JsonSerializer.Serialize(new { taskIds }));

    private Task<HttpResponseMessage> PutAsync(string slug, string body) =>
        Service.Http.PutAsync($"/projects/{slug}/tasks/reorder", Bodies.Json(body), Cancelled);
}
