using DataService.Data;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Npgsql;
using Serilog.Events;

namespace DataService.Tests.GitHubSync;

public sealed class PushTasksTests(PostgresCluster cluster) : GitHubSyncTest(cluster)
{
    protected override Dictionary<string, string?> Settings => new() { ["GitHub:RequestTimeout"] = "00:00:01", ["Jobs:FirstRetryDelay"] = "00:00:00.100" };

    [Fact]
    public async Task Each_task_gets_one_issue_with_its_title_text_and_hidden_marker()
    {
        var slug = await ArrangeAsync(3);

        var tasks = await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal([1, 2, 3], Numbers(tasks));
        Assert.All(tasks.EnumerateArray(), task =>
        {
            var issue = Issues[task.GetProperty("githubIssueNumber").GetInt32() - 1];
            Assert.Equal(task.GetProperty("title").GetString(), issue.Title);
            Assert.Equal($"{task.GetProperty("description").GetString()}\n\n<!-- dataservice:task:{task.GetProperty("id").GetGuid()} -->".TrimStart(), issue.Body);
            Assert.EndsWith($"/{RunningService.Organization}/work/issues/{issue.Number}", task.GetProperty("githubIssueUrl").GetString(), StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Pushing_again_writes_nothing_new_and_pushes_what_came_since()
    {
        var slug = await ArrangeAsync(2);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        Assert.Equal(2, Issues.Count);
        await AddTasksAsync(slug, 1);

        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(3, Issues.Count);
    }

    [Fact]
    public async Task Two_pushes_at_once_make_one_set_of_issues()
    {
        var slug = await ArrangeAsync(5);

        var responses = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PushAsync(slug)));

        foreach (var response in responses)
            Assert.Equal(5, Numbers(await response.ReadAsync(HttpStatusCode.OK)).Distinct().Count());
        Assert.Equal(5, Issues.Count);
    }

    [Theory]
    [InlineData(nameof(FaultKind.LostAnswer))]
    [InlineData(nameof(FaultKind.StalledBody))]
    [InlineData(nameof(FaultKind.EmptyBody))]
    [InlineData(nameof(FaultKind.TruncatedBody))]
    public async Task After_a_lost_answer_the_issue_is_found_and_adopted(string kind)
    {
        var slug = await ArrangeAsync(3);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        await AddTasksAsync(slug, 3);
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind), Method = "POST", Path = "/repos/*/*/issues", Times = 1 });
        await (await PushAsync(slug)).ReadProblemAsync(HttpStatusCode.BadGateway, "GITHUB_UNAVAILABLE");
        Assert.Equal(4, Issues.Count);

        var tasks = await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(6, Numbers(tasks).OfType<int>().Distinct().Count());
        Assert.Equal(6, Issues.Count);
    }

    [Fact]
    public async Task What_was_pushed_before_a_failure_is_saved()
    {
        var slug = await ArrangeAsync(3);
        Service.Break(new FaultRule { Kind = FaultKind.Delay, DelayMs = 1, Method = "POST", Times = 2 });
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Method = "POST", Times = 1 });

        await (await PushAsync(slug)).ReadProblemAsync(HttpStatusCode.Forbidden, "GITHUB_FORBIDDEN");

        Assert.Equal(2L, await Service.QueryAsync<long>("SELECT count(*) FROM tasks WHERE github_issue_number IS NOT NULL"));
    }

    [Fact]
    public async Task More_than_a_request_should_wait_for_goes_on_as_a_job()
    {
        var slug = await ArrangeAsync(26);

        var tasks = await (await PushAsync(slug)).ReadAsync(HttpStatusCode.Accepted);

        Assert.Equal(26, tasks.GetArrayLength());
        await Eventually.ReturnsAsync(
            () => Service.QueryAsync<long>("SELECT count(*) FROM tasks WHERE github_issue_number IS NOT NULL"), count => count is 26, "all tasks to be pushed");
        Assert.Equal(26, Issues.Count);
    }

    [Fact]
    public async Task A_job_that_meets_a_failing_GitHub_goes_on_by_itself_without_writing_anything_twice()
    {
        var slug = await ArrangeAsync(30);
        Service.Break(new FaultRule { Kind = FaultKind.LostAnswer, Method = "POST", Path = "/repos/*/*/issues", Times = 2 });

        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.Accepted);

        await Eventually.ReturnsAsync(
            () => Service.QueryAsync<long>("SELECT count(*) FROM tasks WHERE github_issue_number IS NOT NULL"), count => count is 30, "all tasks to be pushed");
        Assert.Equal(30, Issues.Count);
    }

    [Fact]
    public async Task Twenty_five_tasks_are_pushed_within_the_request()
    {
        var slug = await ArrangeAsync(25);

        var tasks = await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.DoesNotContain(null, Numbers(tasks));
    }

    [Fact]
    public async Task Without_a_repository_there_is_nothing_to_push_to()
    {
        var slug = await Service.CreateProjectAsync("Homeless");

        await (await PushAsync(slug)).ReadProblemAsync(HttpStatusCode.Conflict, "NO_GITHUB_REPO");
        await (await PushAsync("nobody")).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
    }

    [Fact]
    public async Task In_another_repository_the_tasks_get_issues_of_its_own_and_back_in_the_first_they_have_theirs()
    {
        var slug = await ArrangeAsync(3);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        var other = Service.GitHub.Repositories.Create(RunningService.Organization, "other", isPrivate: true, description: null)!;

        await ChooseAsync(slug, other.FullName);
        Assert.Equal([null, null, null], Numbers(await Service.ListTasksAsync(slug)));
        var pushed = await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal([1, 2, 3], Numbers(pushed));
        Assert.All(pushed.EnumerateArray(), task => Assert.Contains("/other/issues/", task.GetProperty("githubIssueUrl").GetString(), StringComparison.Ordinal));
        Assert.Equal(3, Service.GitHub.Repositories.Issues(other.Id).Count);
        await ChooseAsync(slug, Repository.FullName);
        Assert.Equal([1, 2, 3], Numbers(await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK)));
        Assert.Equal(3, Issues.Count);
    }

    [Fact]
    public async Task Without_a_repository_for_a_while_the_tasks_keep_their_issues()
    {
        var slug = await ArrangeAsync(2);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);

        await ChooseAsync(slug, null);
        await ChooseAsync(slug, Repository.FullName.ToUpperInvariant());

        Assert.Equal([1, 2], Numbers(await Service.ListTasksAsync(slug)));
    }

    [Fact]
    public async Task In_a_repository_that_was_made_anew_under_the_same_name_the_tasks_get_issues_again()
    {
        var slug = await ArrangeAsync(2);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        Assert.True(Service.GitHub.Repositories.Delete(Repository.Id));
        await ChooseAsync(slug, null);

        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "created");

        Assert.Equal([null, null], Numbers(await Service.ListTasksAsync(slug)));
        Assert.Equal([1, 2], Numbers(await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK)));
        Assert.Equal(2, Issues.Count);
    }

    [Fact]
    public async Task What_is_done_stays_done_and_keeps_its_issue_wherever_the_project_goes()
    {
        var slug = await ArrangeAsync(2);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        Close(1);
        await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);
        var other = Service.GitHub.Repositories.Create(RunningService.Organization, "other", isPrivate: true, description: null)!;
        await ChooseAsync(slug, other.FullName);

        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        await ForgetLastRoundAsync();
        var tasks = await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["done", "pending"], Statuses(tasks));
        Assert.Equal([1, 1], Numbers(tasks));
        Assert.EndsWith("/work/issues/1", tasks[0].GetProperty("githubIssueUrl").GetString(), StringComparison.Ordinal);
        Assert.EndsWith("/other/issues/1", tasks[1].GetProperty("githubIssueUrl").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_a_repository_that_was_made_anew_nobodys_issue_stands_for_what_was_done_in_the_former_one()
    {
        var slug = await ArrangeAsync(1);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        Close(1);
        await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK);
        Assert.True(Service.GitHub.Repositories.Delete(Repository.Id));
        await ChooseAsync(slug, null);
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "created");
        Service.GitHub.Repositories.CreateIssue(Repository.Id, "A person's", "No marker");
        await ForgetLastRoundAsync();

        Assert.Equal(["done"], Statuses(await (await SyncAsync(slug)).ReadAsync(HttpStatusCode.OK)));
    }

    [Fact]
    public async Task Nothing_more_is_written_into_a_repository_that_the_project_no_longer_has()
    {
        var slug = await ArrangeAsync(3);
        var other = Service.GitHub.Repositories.Create(RunningService.Organization, "other", isPrivate: true, description: null)!;
        await using var project = await RowLock.TakeAsync(Service.ConnectionString, slug);
        var push = PushAsync(slug);
        await project.IsWaitedForAsync();
        await project.ChangeAsync($"UPDATE projects SET github_repo = '{other.FullName}'");

        await (await push).ReadProblemAsync(HttpStatusCode.Conflict, "NO_GITHUB_REPO");

        Assert.Single(Issues);
        Assert.Contains(Service.Logs.Events, IsOfUnlinkedIssue);
        var pushed = await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK);
        Assert.Equal([1, 2, 3], Numbers(pushed));
        Assert.Equal(3, Service.GitHub.Repositories.Issues(other.Id).Count);
        Assert.Single(Issues);
    }

    [Fact]
    public async Task Nothing_more_is_written_for_a_project_that_was_deleted_meanwhile()
    {
        var slug = await ArrangeAsync(3);
        await using var project = await RowLock.TakeAsync(Service.ConnectionString, slug);
        var push = PushAsync(slug);
        await project.IsWaitedForAsync();
        await project.ChangeAsync("DELETE FROM projects");

        await (await push).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");

        Assert.Single(Issues);
        Assert.Contains(Service.Logs.Events, IsOfUnlinkedIssue);
    }

    [Fact]
    public async Task A_job_whose_project_was_deleted_meanwhile_ends()
    {
        var slug = await ArrangeAsync(26);
        await using var project = await RowLock.TakeAsync(Service.ConnectionString, slug);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.Accepted);
        await project.IsWaitedForAsync();
        await project.ChangeAsync("DELETE FROM projects");

        await PushJobReachesAsync("Succeeded");

        Assert.Single(Issues);
    }

    [Fact]
    public async Task Each_task_is_pushed_as_it_is_when_its_turn_comes()
    {
        var slug = await ArrangeAsync(4);
        await using var tasks = await RowLock.TakeTasksAsync(Service.ConnectionString);
        var push = PushAsync(slug);
        await tasks.IsWaitedForAsync();
        await tasks.ChangeAsync(
            """
            UPDATE tasks SET title = 'Renamed' WHERE sort_order = 1;
            DELETE FROM tasks WHERE sort_order = 2;
            UPDATE tasks SET github_issue_number = 7, github_issue_url = 'https://github.test/7' WHERE sort_order = 3
            """);

        var pushed = await (await push).ReadAsync(HttpStatusCode.OK);

        Assert.Equal([1, 2, 7], Numbers(pushed));
        Assert.Equal(["Task 0", "Renamed"], Issues.Select(issue => issue.Title));
    }

    [Fact]
    public async Task A_push_whose_lock_is_gone_writes_nothing_more()
    {
        var slug = await ArrangeAsync(3);
        Task<HttpResponseMessage> push;
        await using (var tasks = await RowLock.TakeTasksAsync(Service.ConnectionString))
        {
            push = PushAsync(slug);
            await tasks.IsWaitedForAsync();
            Assert.True(await Service.QueryAsync<bool>(
                """
                SELECT bool_and(pg_terminate_backend(pid, 30000)) FROM pg_locks
                WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """));
        }

        await (await push).ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "DATABASE_UNAVAILABLE");

        Assert.Single(Issues);
        Assert.Equal([1, 2, 3], Numbers(await (await PushAsync(slug)).ReadAsync(HttpStatusCode.OK)));
        Assert.Equal(3, Issues.Count);
    }

    [Fact]
    public async Task A_job_leaves_its_worker_while_another_push_of_the_project_is_under_way()
    {
        var slug = await ArrangeAsync(26);
        var projectId = (await Service.GetProjectAsync(slug)).GetProperty("id").GetGuid();
        await using (await ProjectLock.AcquireAsync(Service.Services.GetRequiredService<NpgsqlDataSource>(), projectId, TimeProvider.System, Cancelled))
        {
            await (await PushAsync(slug)).ReadAsync(HttpStatusCode.Accepted);
            await PushJobReachesAsync("Scheduled");
        }

        await PushJobReachesAsync("Succeeded");

        Assert.Equal(26, Issues.Count);
        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobparameter WHERE name = 'RetryCount'"));
    }

    [Theory]
    [InlineData(nameof(FaultKind.SecondaryLimit), HttpStatusCode.ServiceUnavailable, "GITHUB_RATE_LIMITED")]
    [InlineData(nameof(FaultKind.BadGateway), HttpStatusCode.BadGateway, "GITHUB_UNAVAILABLE")]
    public async Task GitHubs_failure_is_answered_with_its_code(string kind, HttpStatusCode status, string code)
    {
        var slug = await ArrangeAsync(1);
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind), Method = "POST", RetryAfterSeconds = kind is nameof(FaultKind.SecondaryLimit) ? 17 : null });

        var response = await PushAsync(slug);

        await response.ReadProblemAsync(status, code);
        if (status is HttpStatusCode.ServiceUnavailable)
            Assert.InRange(response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 15, 17);
    }

    private static bool IsOfUnlinkedIssue(LogEvent logged) =>
        logged.Level is LogEventLevel.Warning && logged.MessageTemplate.Text.StartsWith("Issue {Number} of {Repository}", StringComparison.Ordinal);

    private Task<string?> PushJobReachesAsync(string state) => Eventually.ReturnsAsync(
        () => Service.QueryAsync<string>("SELECT statename FROM hangfire.job WHERE invocationdata::text LIKE '%PushTasksJob%'"),
        reached => reached == state,
        $"the push to be {state}");
}
