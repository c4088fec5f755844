using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.GitHubSync;

public sealed class SyncTasksTests(PostgresCluster cluster) : GitHubSyncTest(cluster)
{
    private const string IssueList = "/repos/*/*/issues";

    protected override Dictionary<string, string?> Settings => new() { ["GitHub:RequestTimeout"] = "00:00:01", ["RateLimits:PublicPerMinute"] = "40" };

    [Fact]
    public async Task A_closed_issue_makes_its_task_done_and_an_open_one_pending()
    {
        var slug = await PushedAsync(3);
        Close(2);
        await Service.QueryAsync<object>("UPDATE tasks SET status = 'in progress' WHERE sort_order = 2");

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["pending", "done", "pending"], Statuses(tasks));
    }

    [Fact]
    public async Task Five_hundred_tasks_take_a_list_call_per_hundred_and_nothing_of_the_limit_when_nothing_changed()
    {
        var slug = await ArrangeAsync(500);
        await LinkAllAsync(slug);
        await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);
        Assert.InRange(Service.GitHub.Requests.Of("GET", IssueList).Count, 5, 6);
        Service.GitHub.Requests.Clear();
        await ForgetLastRoundAsync();

        await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        var second = Service.GitHub.Requests.Of("GET", IssueList);
        Assert.InRange(second.Count, 5, 6);
        Assert.All(second, request => Assert.Equal(304, request.Status));
    }

    [Fact]
    public async Task What_changed_on_the_page_that_changed_is_seen()
    {
        var slug = await ArrangeAsync(150);
        await LinkAllAsync(slug);
        await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);
        Close(120);
        await ForgetLastRoundAsync();

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal("done", Statuses(tasks)[119]);
        Assert.Equal(1, Statuses(tasks).Count(status => status is "done"));
    }

    [Fact]
    public async Task Within_thirty_seconds_the_answer_comes_from_the_database()
    {
        var slug = await PushedAsync(1);
        await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);
        Service.GitHub.Requests.Clear();
        Close(1);

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["pending"], Statuses(tasks));
        Assert.Empty(Service.GitHub.Requests.All);
    }

    [Fact]
    public async Task Many_callers_at_once_make_one_round()
    {
        var slug = await PushedAsync(1);
        Service.GitHub.Requests.Clear();

        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => SyncAsync(slug)));

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        Assert.Single(Service.GitHub.Requests.Of("GET", IssueList));
    }

    [Theory]
    [InlineData(nameof(FaultKind.BadGateway))]
    [InlineData(nameof(FaultKind.Hang))]
    [InlineData(nameof(FaultKind.StalledBody))]
    [InlineData(nameof(FaultKind.PrimaryLimit))]
    [InlineData(nameof(FaultKind.NullBody))]
    [InlineData(nameof(FaultKind.HtmlBody))]
    [InlineData(nameof(FaultKind.NotYetVisible))]
    public async Task A_failing_GitHub_leaves_the_tasks_as_they_are(string kind)
    {
        var slug = await PushedAsync(2);
        Close(1);
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind), Method = "GET" });

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["pending", "pending"], Statuses(tasks));
        Assert.Contains(Service.Logs.Events, e => e.MessageTemplate.Text.Contains("left as they are", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("[null]")]
    [InlineData("[{}]")]
    [InlineData("""[{ "number": 1 }]""")]
    [InlineData("""[{ "number": 1, "state": "odd", "html_url": "https://github.com/o/r/issues/1" }]""")]
    [InlineData("""[{ "number": 1, "state": "open", "html_url": "https://github.com/o/r/issues/\u0000" }]""")]
    public async Task A_list_of_what_is_no_issue_leaves_the_tasks_as_they_are_too(string body)
    {
        var slug = await PushedAsync(1);
        Close(1);
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Status = 200, Body = body, Method = "GET" });

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["pending"], Statuses(tasks));
        Assert.Contains(Service.Logs.Events, e => e.MessageTemplate.Text.Contains("left as they are", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_issue_that_was_transferred_or_deleted_does_not_break_the_rest()
    {
        var slug = await PushedAsync(3);
        var elsewhere = Service.GitHub.Repositories.Create(RunningService.Organization, "elsewhere", isPrivate: true, description: null)!;
        Assert.NotNull(Service.GitHub.Repositories.TransferIssue(Repository.Id, 1, elsewhere.Id));
        Close(3);

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["pending", "pending", "done"], Statuses(tasks));
    }

    [Fact]
    public async Task An_issue_of_another_repository_with_the_same_number_is_not_the_tasks()
    {
        var slug = await PushedAsync(1);
        var other = Service.GitHub.Repositories.Create(RunningService.Organization, "other", isPrivate: true, description: null)!;
        Service.GitHub.Repositories.CreateIssue(other.Id, "Foreign", "no marker");
        Service.GitHub.Repositories.UpdateIssue(other.Id, 1, issue => issue with { ClosedAt = DateTimeOffset.UtcNow });
        await ChooseAsync(slug, other.FullName);

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["pending"], Statuses(tasks));
    }

    [Fact]
    public async Task Under_a_new_name_that_a_person_wrote_down_the_issues_are_found_by_their_markers()
    {
        var slug = await PushedAsync(3);
        // Somebody has copied the text of the second.
        Service.GitHub.Repositories.CreateIssue(Repository.Id, "Copied", Service.GitHub.Repositories.Issues(Repository.Id)[1].Body);
        Close(2);
        var repositoryId = Repository.Id;
        Assert.NotNull(Service.GitHub.Repositories.Update(repositoryId, before => before with { Name = "renamed" }));
        await ChooseAsync(slug, $"{RunningService.Organization}/renamed");

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["pending", "done", "pending"], Statuses(tasks));
        Assert.Equal([1, 2, 3], Numbers(tasks));
        Assert.All(tasks.EnumerateArray(), task => Assert.Contains("/renamed/issues/", task.GetProperty("githubIssueUrl").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_read_from_a_repository_that_the_project_no_longer_has_is_not_taken()
    {
        var slug = await PushedAsync(1);
        Close(1);
        await using var project = await RowLock.TakeAsync(Service.ConnectionString, slug);
        var sync = SyncAsync(slug);
        await project.IsWaitedForAsync();
        await project.ChangeAsync("UPDATE projects SET github_repo = 'else/where'");

        Assert.Equal(["pending"], Statuses(await (await sync).ReadAsync(HttpStatusCode.OK)));
    }

    [Fact]
    public async Task An_issue_at_the_tasks_address_that_stands_for_another_task_is_not_the_tasks()
    {
        var slug = await PushedAsync(1);
        Assert.True(Service.GitHub.Repositories.Delete(Repository.Id));
        Assert.NotNull(Service.GitHub.Repositories.Create(RunningService.Organization, "work", isPrivate: true, description: null));
        Service.GitHub.Repositories.CreateIssue(Repository.Id, "Of another task", $"<!-- dataservice:task:{Guid.CreateVersion7()} -->");
        Close(1);

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["pending"], Statuses(tasks));
    }

    [Fact]
    public async Task An_issue_whose_marker_a_person_took_out_is_known_by_its_address()
    {
        var slug = await PushedAsync(1);
        Service.GitHub.Repositories.UpdateIssue(Repository.Id, 1, issue => issue with { Body = "Rewritten" });
        Close(1);

        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["done"], Statuses(tasks));
    }

    [Fact]
    public async Task Without_a_repository_the_tasks_come_as_they_are()
    {
        var slug = await Service.CreateProjectAsync("Homeless");
        await AddTasksAsync(slug, 2);

        Assert.Equal(2, (await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK)).GetArrayLength());
        await (await SyncAsync("nobody")).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        Assert.Empty(Service.GitHub.Requests.All);
    }

    [Fact]
    public async Task One_address_cannot_call_without_end()
    {
        var slug = await Service.CreateProjectAsync("Popular");

        var responses = await Task.WhenAll(Enumerable.Range(0, 41).Select(_ => SyncAsync(slug)));

        var refused = Assert.Single(responses, response => response.StatusCode is not HttpStatusCode.OK);
        await refused.ReadProblemAsync(HttpStatusCode.TooManyRequests, "RATE_LIMITED");
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
    }

    private async Task<string> PushedAsync(int tasks)
    {
        var slug = await ArrangeAsync(tasks);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        return slug;
    }

    /// <summary>As a push would leave it, without hundreds of calls.</summary>
    private async Task LinkAllAsync(string slug)
    {
        var ids = await Service.QueryAsync<Guid[]>($"SELECT array_agg(t.id ORDER BY sort_order) FROM tasks t JOIN projects p ON p.id = t.project_id WHERE p.slug = '{slug}'");
        foreach (var id in ids!)
            Service.GitHub.Repositories.CreateIssue(Repository.Id, "Task", $"<!-- dataservice:task:{id} -->");
        await Service.QueryAsync<object>("UPDATE tasks SET github_issue_number = sort_order + 1, github_issue_url = 'https://github.test/' || sort_order");
    }
}
