using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.ClientView;

public sealed class ClientViewTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    protected override Dictionary<string, string?> Settings => new() { ["RateLimits:PublicPerMinute"] = "5", ["KNOWN_PROXIES"] = "127.0.0.1" };

    [Fact]
    public async Task Anyone_sees_the_project_its_latest_spec_and_its_tasks()
    {
        var slug = await Service.CreateProjectAsync("Acme Shop");
        await Service.CreateProjectAsync("Other");
        await Service.AddTaskAsync("other", "Not mine");
        await WriteSpecAsync("other", "Not mine");
        await WriteSpecAsync(slug, "# First");
        var spec = await WriteSpecAsync(slug, "# Second żółć 🚀");
        await Service.AddTaskAsync(slug, "last", "Text", 9);
        await Service.AddTaskAsync(slug, "one", sortOrder: 3);
        await Service.AddTaskAsync(slug, "two", sortOrder: 3);
        await Service.QueryAsync<object>("UPDATE tasks SET github_issue_number = 7, github_issue_url = 'https://github.com/o/r/issues/7' WHERE title = 'two'");
        await Service.ApproveAsync(slug);

        var view = await (await ViewAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["project", "spec", "tasks"], view.EnumerateObject().Select(member => member.Name));
        Assert.Equal("""{"slug":"acme-shop","name":"Acme Shop","status":"review"}""", view.GetProperty("project").GetRawText());
        Assert.Equal(spec.GetRawText(), view.GetProperty("spec").GetRawText());
        Assert.Equal(["one", "two", "last"], view.GetProperty("tasks").EnumerateArray().Select(task => task.GetProperty("title").GetString()!));
        Assert.Equal((await Service.ListTasksAsync(slug)).GetRawText(), view.GetProperty("tasks").GetRawText());
    }

    [Fact]
    public async Task Without_a_spec_and_tasks_it_shows_null_and_none()
    {
        var slug = await Service.CreateProjectAsync("Acme");

        var view = await (await ViewAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(JsonValueKind.Null, view.GetProperty("spec").ValueKind);
        Assert.Equal("[]", view.GetProperty("tasks").GetRawText());
    }

    [Fact]
    public async Task An_unknown_project_answers_404()
    {
        foreach (var slug in (string[])["nobody", "ACME", "'%20OR%201=1--"])
            await (await ViewAsync(slug)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        Assert.True((await ViewAsync("a%00")).StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task A_wrong_token_does_no_harm()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/projects/{slug}/client-view") { Headers = { { "Authorization", "Bearer wrong" } } };

        await (await Service.Anonymous.SendAsync(request, Cancelled)).ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task It_asks_the_database_once()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        await WriteSpecAsync(slug, "# Spec");
        await Service.AddTaskAsync(slug, "one");
        var roundTrips = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = roundTrips.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        // The service takes the trace over from the request, which tells its round trips from those of other tests.
        using var trace = new Activity("client view").Start();

        await (await ViewAsync(slug)).ReadAsync(HttpStatusCode.OK);
        var ofTheView = roundTrips.Count(activity => activity.TraceId == trace.TraceId);
        await (await Service.Http.GetAsync($"/projects/{slug}/tasks", Cancelled)).ReadAsync(HttpStatusCode.OK);
        var ofTheTasks = roundTrips.Count(activity => activity.TraceId == trace.TraceId) - ofTheView;

        // The second count shows that the first one counts.
        Assert.Equal((1, 2), (ofTheView, ofTheTasks));
    }

    [Fact]
    public async Task A_client_that_asks_too_often_is_told_when_to_come_back_and_others_are_served()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        for (var call = 0; call < 5; call++)
            await (await ViewAsync(slug, "203.0.113.7")).ReadAsync(HttpStatusCode.OK);

        var refused = await ViewAsync(slug, "203.0.113.7");

        await refused.ReadProblemAsync(HttpStatusCode.TooManyRequests, "RATE_LIMITED");
        Assert.InRange(int.Parse(refused.Headers.GetValues("Retry-After").Single(), CultureInfo.InvariantCulture), 1, 60);
        await (await ViewAsync(slug, "203.0.113.8")).ReadAsync(HttpStatusCode.OK);
        await Service.GetProjectAsync(slug);
    }

    [Fact]
    public async Task The_addresses_of_one_network_of_IPv6_are_one_client()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        for (var call = 0; call < 5; call++)
            await (await ViewAsync(slug, $"2001:db8:1:2:{call}::1")).ReadAsync(HttpStatusCode.OK);

        await (await ViewAsync(slug, "2001:db8:1:2:ffff::9")).ReadProblemAsync(HttpStatusCode.TooManyRequests, "RATE_LIMITED");

        await (await ViewAsync(slug, "2001:db8:1:3::1")).ReadAsync(HttpStatusCode.OK);
    }

    private async Task<HttpResponseMessage> ViewAsync(string slug, string? client = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/projects/{slug}/client-view");
        if (client is not null)
            request.Headers.Add("X-Forwarded-For", client);
        return await Service.Anonymous.SendAsync(request, Cancelled);
    }

    private async Task<JsonElement> WriteSpecAsync(string slug, string contentMarkdown) =>
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/spec", new { contentMarkdown }, Cancelled)).ReadAsync(HttpStatusCode.OK);
}
