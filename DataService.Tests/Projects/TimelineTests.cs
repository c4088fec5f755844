using System.Text.Json;
using DataService.Jobs;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire;
using Hangfire.States;

namespace DataService.Tests.Projects;

public sealed class TimelineTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private static readonly string[] Members = ["at", "kind", "text", "actor", "requestId", "attempt", "code", "githubStatus", "jobId", "nextAt"];

    private static readonly string[] LineMembers = ["kind", "actor", "requestId", "attempt", "code", "githubStatus", "jobId"];

    protected override Dictionary<string, string?> Settings => new() { ["Jobs:FirstRetryDelay"] = "01:00:00" };

    [Fact]
    public async Task An_unknown_project_answers_404() =>
        await (await Service.Http.GetAsync("/projects/nobody/timeline", Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");

    [Fact]
    public async Task A_project_with_which_nothing_was_done_has_an_empty_one() =>
        Assert.Empty(await TimelineAsync(await Service.CreateProjectAsync("New")));

    [Fact]
    public async Task A_creation_that_fails_and_is_re_run_by_REST_and_in_the_dashboard_reads_as_it_happened()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 2 });
        var slug = await Service.CreateProjectAsync("Acme Shop");
        var first = await FailAsync(() => SendAsync($"/projects/{slug}/approve", "approval-1"), slug, 1);
        var second = await FailAsync(() => SendAsync($"/projects/{slug}/repo-creation", "re-run-2"), slug, 2);
        using var admin = await AdminSession.OpenAsync(Service);
        await admin.PressAsync("/hangfire/jobs/failed", "requeue", second, "re-run-3");
        await Service.CreationReachesAsync(slug, "created");

        var story = await TimelineAsync(slug);

        Assert.Equal(
            [
                "approve api token approval-1 - - - -",
                $"enqueued - - - - - {first}",
                $"attempt_started - - 1 - - {first}",
                $"failed - - 1 GITHUB_FORBIDDEN 403 {first}",
                "requeue api token re-run-2 - - - -",
                $"enqueued - - - - - {second}",
                $"attempt_started - - 2 - - {second}",
                $"failed - - 2 GITHUB_FORBIDDEN 403 {second}",
                "retry_job api token re-run-3 - - - -",
                $"enqueued - - - - - {second}",
                $"attempt_started - - 3 - - {second}",
                $"created - - 3 - - {second}",
            ],
            story.Select(Line));
        Assert.All(story, entry => Assert.Equal(Members, entry.EnumerateObject().Select(member => member.Name)));
        Assert.Equal(story.Select(entry => entry.GetProperty("at").GetDateTime()).Order(), story.Select(entry => entry.GetProperty("at").GetDateTime()));
        Assert.Equal(["Approved.", "Waits for a worker.", "Begins with the name acme-shop."], story.Take(3).Select(Text));
        Assert.StartsWith("Resource not accessible by personal access token", Text(story[3]), StringComparison.Ordinal);
        Assert.Equal("Re-run.", Text(story[4]));
        Assert.Equal($"Re-run in the dashboard: job {second} (CreateProjectRepoJob), which was failed.", Text(story[8]));
        Assert.Equal("auditmos-projects/acme-shop", Text(story[11]));
    }

    [Fact]
    public async Task A_taken_name_and_its_suffix_are_told()
    {
        Assert.NotNull(Service.GitHub.Repositories.Create(RunningService.Organization, "taken", isPrivate: true, "not ours", stranger: true));
        var slug = await Service.CreateProjectAsync("Taken");
        await Service.ApproveAsync(slug);
        var repository = (await Service.CreationReachesAsync(slug, "created")).GetProperty("githubRepo").GetString()!;

        var story = await TimelineAsync(slug);

        Assert.Equal(["approve", "enqueued", "attempt_started", "name_taken", "created"], story.Select(Kind));
        Assert.Equal($"taken belongs to someone else. {repository.Split('/')[1]} is next.", Text(story[3]));
        Assert.Equal(repository, Text(story[4]));
    }

    [Fact]
    public async Task A_repository_whose_answer_was_lost_is_told_as_adopted()
    {
        Service.Break(new FaultRule { Kind = FaultKind.LostAnswer, Method = "POST", Times = 1 });
        var slug = await Service.CreateProjectAsync("Lost");
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "created");

        Assert.Equal(["approve", "enqueued", "attempt_started", "adopted"], (await TimelineAsync(slug)).Select(Kind));
    }

    [Fact]
    public async Task A_retry_is_told_with_its_time()
    {
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Times = 1 });
        var slug = await Service.CreateProjectAsync("Shaky");
        await Service.ApproveAsync(slug);
        var next = (await Service.CreationReachesAsync(slug, "retrying")).GetProperty("repoCreation").GetProperty("nextAttemptAt");

        var retrying = (await TimelineAsync(slug))[^1];

        Assert.Equal(("retrying", "GITHUB_UNAVAILABLE", 502), (Kind(retrying), retrying.GetProperty("code").GetString(), retrying.GetProperty("githubStatus").GetInt32()));
        Assert.Equal(next.GetString(), retrying.GetProperty("nextAt").GetString());
    }

    [Fact]
    public async Task A_wait_is_told_once_however_often_the_job_looks_and_then_how_it_goes_on()
    {
        await Service.Http.PostAsJsonAsync("/repo-creations/pause", new { reason = "Moving." }, Cancelled);
        var slug = await Service.CreateProjectAsync("Patient");
        var jobId = (await Service.ApproveAsync(slug)).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        for (var look = 0; look < 3; look++)
        {
            if (look > 0)
                Service.Services.GetRequiredService<IBackgroundJobClient>().ChangeState(jobId, new WokenState(), ScheduledState.StateName);
            // Counted, as the machine's clock may be set back between two looks.
            await Eventually.ReturnsAsync(
                () => Service.QueryAsync<long>($"SELECT count(*) FROM hangfire.state WHERE jobid = {jobId} AND name = 'Processing'"), looks => looks == look + 1, "the job to look");
            await Service.JobReachesAsync(jobId, "Scheduled");
        }

        await Service.Http.PostAsync("/repo-creations/resume", null, Cancelled);
        await Service.CreationReachesAsync(slug, "created");

        Assert.Equal(["approve", "enqueued", "waiting", "attempt_started", "created"], (await TimelineAsync(slug)).Select(Kind));
    }

    [Fact]
    public async Task A_choice_settles_the_creation_and_is_told_with_who_made_it()
    {
        var slug = await Service.CreateProjectAsync("By hand");
        await Service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = "someone/else" }, Cancelled);
        await Service.ApproveAsync(slug);
        await Service.ApproveAsync(slug);

        var story = await TimelineAsync(slug);

        Assert.Equal(["choose_repository", "approve", "skipped", "approve"], story.Select(Kind));
        Assert.Equal(["Chose someone/else.", "Approved.", "A repository was chosen by hand.", "Approved again."], story.Select(Text));
    }

    [Fact]
    public async Task A_job_that_was_lost_and_is_enqueued_by_the_reconciliation_says_so()
    {
        var slug = await Service.CreateProjectAsync("Forgotten");
        await Service.QueryAsync<int>("UPDATE projects SET approved_at = now(), status = 'review'");

        await Service.Http.PostAsJsonAsync("/repo-creations/reconcile", new { dryRun = false }, Cancelled);

        Assert.Contains("reconciliation", Text((await TimelineAsync(slug))[0]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_deleted_project_takes_its_history_along()
    {
        var slug = await Service.CreateProjectAsync("Gone");
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "created");

        await Service.Http.DeleteAsync($"/projects/{slug}", Cancelled);

        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM creation_events"));
    }

    private async Task<string> FailAsync(Func<Task> act, string slug, int attempt)
    {
        await act();
        var project = await Eventually.ReturnsAsync(
            () => Service.GetProjectAsync(slug),
            project => project.GetProperty("repoCreation") is var creation && creation.GetProperty("attempts").GetInt32() == attempt && creation.GetProperty("state").GetString() is "failed",
            $"attempt {attempt} to fail");
        var jobId = project.GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(jobId, "Failed");
        return jobId;
    }

    private async Task SendAsync(string address, string requestId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Headers = { { "X-Request-Id", requestId } } };
        Assert.True((await Service.Http.SendAsync(request, Cancelled)).IsSuccessStatusCode);
    }

    private async Task<IReadOnlyList<JsonElement>> TimelineAsync(string slug) =>
        [.. (await (await Service.Http.GetAsync($"/projects/{slug}/timeline", Cancelled)).ReadAsync(HttpStatusCode.OK)).GetProperty("data").EnumerateArray()];

    /// <summary>The kind, who and with which request, the attempt, what it failed with, and the job; - where there is none.</summary>
    private static string Line(JsonElement entry) => string.Join(' ', LineMembers
        .Select(entry.GetProperty).Select(member => member.ValueKind is JsonValueKind.Null ? "-" : member.ToString()));

    private static string Kind(JsonElement entry) => entry.GetProperty("kind").GetString()!;

    private static string Text(JsonElement entry) => entry.GetProperty("text").GetString()!;
}
