using System.Text.Json;
using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.RepoCreations;

public sealed class RequeueOneTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    /// <summary>Far beyond a test: a retry that is scheduled stays so until it is run by hand.</summary>
    protected override Dictionary<string, string?> Settings => new() { ["Jobs:FirstRetryDelay"] = "01:00:00" };

    [Fact]
    public async Task An_unknown_project_answers_404() =>
        await (await RequeueAsync("nobody")).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");

    [Fact]
    public async Task A_project_that_is_not_approved_answers_409()
    {
        var slug = await Service.CreateProjectAsync("Acme");

        await (await RequeueAsync(slug)).ReadProblemAsync(HttpStatusCode.Conflict, "INVALID_STATE");

        Assert.Equal(JsonValueKind.Null, (await Service.GetProjectAsync(slug)).GetProperty("repoCreation").ValueKind);
        Assert.Equal(0L, await JobsAsync());
    }

    [Fact]
    public async Task A_project_that_has_its_repository_answers_409()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "created");

        await (await RequeueAsync(slug)).ReadProblemAsync(HttpStatusCode.Conflict, "INVALID_STATE");

        Assert.Equal(1L, await JobsAsync());
    }

    [Fact]
    public async Task A_project_whose_repository_was_chosen_by_hand_answers_409()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        await ChooseAsync(slug, "someone/else");
        await Service.ApproveAsync(slug);

        await (await RequeueAsync(slug)).ReadProblemAsync(HttpStatusCode.Conflict, "INVALID_STATE");

        Assert.Equal(0L, await JobsAsync());
    }

    [Fact]
    public async Task A_failed_creation_is_run_again()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 1 });
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        var failed = (await Service.CreationReachesAsync(slug, "failed")).GetProperty("repoCreation");
        Assert.Equal("GITHUB_FORBIDDEN", failed.GetProperty("errorCode").GetString());

        var queued = await (await RequeueAsync(slug)).ReadAsync(HttpStatusCode.Accepted);

        Assert.Equal(failed.EnumerateObject().Select(member => member.Name), queued.EnumerateObject().Select(member => member.Name));
        Assert.Equal("queued", queued.GetProperty("state").GetString());
        Assert.Equal(1, queued.GetProperty("attempts").GetInt32());
        Assert.NotEqual(failed.GetProperty("jobId").GetString(), queued.GetProperty("jobId").GetString());
        foreach (var member in (string[])["errorCode", "githubStatus", "githubError", "nextAttemptAt"])
            Assert.Equal(JsonValueKind.Null, queued.GetProperty(member).ValueKind);
        var project = await Service.CreationReachesAsync(slug, "created");
        Assert.Equal("auditmos-projects/acme", project.GetProperty("githubRepo").GetString());
        Assert.Equal(2, project.GetProperty("repoCreation").GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task A_live_creation_is_not_enqueued_twice()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Hang });
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        var live = (await Service.CreationReachesAsync(slug, "creating")).GetProperty("repoCreation");

        var answers = new List<JsonElement>();
        foreach (var response in await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RequeueAsync(slug))))
            answers.Add(await response.ReadAsync(HttpStatusCode.Accepted));

        Assert.All(answers, answer => Assert.Equal(live.GetProperty("jobId").GetString(), answer.GetProperty("jobId").GetString()));
        Assert.All(answers, answer => Assert.Equal("creating", answer.GetProperty("state").GetString()));
        Assert.Equal(1L, await JobsAsync());
        Service.GitHub.Faults.Clear();
        await Service.CreationReachesAsync(slug, "created");
        Assert.Single(Service.GitHub.Requests.Of("POST", "/orgs/*/repos"));
    }

    [Fact]
    public async Task A_failed_creation_that_many_run_again_at_once_gets_one_job()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 1 });
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "failed");
        // Holds the new job, so that every call finds it alive.
        Service.Break(new FaultRule { Kind = FaultKind.Hang });

        var jobs = new List<string?>();
        foreach (var response in await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RequeueAsync(slug))))
            jobs.Add((await response.ReadAsync(HttpStatusCode.Accepted)).GetProperty("jobId").GetString());

        Assert.Single(jobs.Distinct());
        Service.GitHub.Faults.Clear();
        await Service.CreationReachesAsync(slug, "created");
        Assert.Equal(2, Service.GitHub.Requests.Of("POST", "/orgs/*/repos").Count);
    }

    [Fact]
    public async Task A_scheduled_retry_is_run_now_and_the_old_job_no_longer()
    {
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Times = 1 });
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        var waiting = (await Service.CreationReachesAsync(slug, "retrying")).GetProperty("repoCreation");
        Assert.Equal(JsonValueKind.String, waiting.GetProperty("nextAttemptAt").ValueKind);
        var old = waiting.GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(old, "Scheduled");

        var queued = await (await RequeueAsync(slug)).ReadAsync(HttpStatusCode.Accepted);

        Assert.Equal("queued", queued.GetProperty("state").GetString());
        Assert.NotEqual(old, queued.GetProperty("jobId").GetString());
        var created = (await Service.CreationReachesAsync(slug, "created")).GetProperty("repoCreation");
        Assert.Equal(queued.GetProperty("jobId").GetString(), created.GetProperty("jobId").GetString());
        await Service.JobReachesAsync(old, "Deleted");
        Assert.Equal(0L, await Service.QueryAsync<long>($"SELECT count(*) FROM hangfire.set WHERE value = '{old}'"));
        Assert.Single(Service.GitHub.Repositories.All);
    }

    [Fact]
    public async Task A_skipped_creation_runs_once_the_chosen_repository_is_taken_back()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        await ChooseAsync(slug, "someone/else");
        await Service.ApproveAsync(slug);
        await ChooseAsync(slug, null);

        await (await RequeueAsync(slug)).ReadAsync(HttpStatusCode.Accepted);

        var project = await Service.CreationReachesAsync(slug, "created");
        Assert.Equal("auditmos-projects/acme", project.GetProperty("githubRepo").GetString());
    }

    private Task<HttpResponseMessage> RequeueAsync(string slug) =>
        Service.Http.PostAsync($"/projects/{slug}/repo-creation", null, Cancelled);

    private async Task ChooseAsync(string slug, string? githubRepo) =>
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo }, Cancelled)).ReadAsync(HttpStatusCode.OK);

    private Task<long> JobsAsync() => Service.QueryAsync<long>("SELECT count(*) FROM hangfire.job WHERE invocationdata::text LIKE '%CreateProjectRepoJob%'");
}
