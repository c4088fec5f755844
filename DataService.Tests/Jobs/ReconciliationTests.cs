using System.Text.Json;
using DataService.Jobs;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire;

namespace DataService.Tests.Jobs;

public sealed class ReconciliationTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    [Fact]
    public async Task Where_all_is_well_nothing_is_found()
    {
        await CreatedAsync("Fine");

        var report = await RunAsync(dryRun: false);

        Assert.Equal((0, 0), (report.GetProperty("found").GetInt32(), report.GetProperty("mended").GetInt32()));
        Assert.Equal(JsonValueKind.Null, report.GetProperty("githubError").ValueKind);
    }

    [Fact]
    public async Task An_approved_project_whose_job_was_deleted_is_reported_by_a_dry_run_and_enqueued_by_another_round()
    {
        var slug = await DeletedAsync("Deleted");

        var finding = Assert.Single((await RunAsync(dryRun: true)).GetProperty("findings").EnumerateArray());
        Assert.Equal(("missing", slug), (finding.GetProperty("kind").GetString(), finding.GetProperty("subject").GetString()));
        Assert.Equal("failed", (await Service.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("state").GetString());

        var report = await RunAsync(dryRun: false);

        Assert.Equal(1, report.GetProperty("mended").GetInt32());
        await Service.CreationReachesAsync(slug, "created");
    }

    [Theory]
    [InlineData("DELETE FROM repo_creations")]
    [InlineData("DELETE FROM hangfire.job")]
    [InlineData("UPDATE hangfire.job SET statename = 'Succeeded'; UPDATE hangfire.state SET name = 'Succeeded'")]
    public async Task An_approved_project_without_a_row_or_a_living_job_is_found(string loss)
    {
        Service.Break(new FaultRule { Kind = FaultKind.SecondaryLimit, RetryAfterSeconds = 600, Times = 1 });
        var slug = await Service.CreateProjectAsync("Restored");
        await Service.ApproveAsync(slug);
        var jobId = (await Service.CreationReachesAsync(slug, "retrying")).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(jobId, "Scheduled");
        await Service.QueryAsync<int>(loss);
        await Service.QueryAsync<int>("UPDATE github_quotas SET limited_until = NULL");

        Assert.Equal(1, (await RunAsync(dryRun: false)).GetProperty("mended").GetInt32());

        await Service.CreationReachesAsync(slug, "created");
    }

    [Fact]
    public async Task The_recurring_round_reports_first_and_mends_what_it_sees_again()
    {
        var slug = await DeletedAsync("Twice");

        var first = await RoundAsync();
        Assert.Equal((1, 0), (first.Found, first.Mended));
        var second = await RoundAsync();

        Assert.Equal((1, 1), (second.Found, second.Mended));
        await Service.CreationReachesAsync(slug, "created");
        Assert.Equal(0, (await RoundAsync()).Found);
        var finding = Assert.Single((await FindingsAsync("?open=false")).EnumerateArray());
        Assert.StartsWith("Enqueued as job ", finding.GetProperty("action").GetString(), StringComparison.Ordinal);
        Assert.Empty((await FindingsAsync("")).EnumerateArray());
    }

    [Fact]
    public async Task A_classified_failure_waits_for_a_person()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.PlanLimit, Times = 1 });
        var slug = await Service.CreateProjectAsync("Refused");
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "failed");

        Assert.Equal(0, (await RunAsync(dryRun: false)).GetProperty("found").GetInt32());
    }

    [Fact]
    public async Task A_missing_job_is_enqueued_whatever_tables_Hangfire_has()
    {
        var slug = await DeletedAsync("Unknown tables");
        await Service.ForbidPlainApprovalsAsync();

        Assert.Equal(1, (await RunAsync(dryRun: false)).GetProperty("mended").GetInt32());

        await Service.CreationReachesAsync(slug, "created");
    }

    [Fact]
    public async Task What_is_no_more_missing_when_its_turn_comes_is_left_as_it_is()
    {
        var slug = await DeletedAsync("Told");
        await using var project = await RowLock.TakeAsync(Service.ConnectionString, slug);
        var round = RunAsync(dryRun: false);
        await project.IsWaitedForAsync();
        await project.ChangeAsync("UPDATE repo_creations SET state = 'failed', error_code = 'GITHUB_FORBIDDEN', github_error = 'no rights'");

        Assert.Equal(0, (await round).GetProperty("mended").GetInt32());

        Assert.Equal("failed", (await Service.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("state").GetString());
    }

    [Fact]
    public async Task Of_more_repositories_than_one_round_looks_up_all_are_looked_up_in_time()
    {
        const int Vanished = 110;
        await Service.QueryAsync<object>(
            $"""
             INSERT INTO projects (id, name, slug, status, github_repo, github_repo_id, created_at)
             SELECT gen_random_uuid(), 'Gone ' || n, 'gone-' || n, 'active', '{RunningService.Organization}/gone-' || n, 1000000 + n, now()
             FROM generate_series(1, {Vanished}) n
             """);

        await AreOpenAsync(Vanished);

        // What is over is closed, be it a few at a time.
        var restored = Service.GitHub.Repositories.Create("elsewhere", "restored", isPrivate: true, description: null)!;
        await Service.QueryAsync<object>(
            $"""
             UPDATE projects SET github_repo = NULL, github_repo_id = NULL WHERE slug = 'gone-1';
             UPDATE projects SET github_repo = '{restored.FullName}', github_repo_id = {restored.Id} WHERE slug = 'gone-2'
             """);
        await AreOpenAsync(Vanished - 2);

        Task<long> AreOpenAsync(int count) => Eventually.ReturnsAsync(
            async () =>
            {
                await RoundAsync();
                return await Service.QueryAsync<long>("SELECT count(*) FROM findings WHERE settled_at IS NULL AND kind = 'vanished'");
            },
            open => open == count,
            $"{count} that have vanished to be known");
    }

    [Fact]
    public async Task A_renamed_repository_is_followed_by_its_number()
    {
        var slug = await CreatedAsync("Old name");
        var repository = Assert.Single(Service.GitHub.Repositories.All);
        await Service.AddTaskAsync(slug, "Moves along");
        await (await Service.Http.PostAsync($"/github/projects/{slug}/push", null, Cancelled)).ReadAsync(HttpStatusCode.OK);
        Assert.NotNull(Service.GitHub.Repositories.Update(repository.Id, before => before with { Name = "new-name" }));

        var report = await RunAsync(dryRun: true);
        Assert.Equal("renamed", Assert.Single(report.GetProperty("findings").EnumerateArray()).GetProperty("kind").GetString());
        Assert.Equal("auditmos-projects/old-name", (await Service.GetProjectAsync(slug)).GetProperty("githubRepo").GetString());
        await RunAsync(dryRun: false);

        Assert.Equal("auditmos-projects/new-name", (await Service.GetProjectAsync(slug)).GetProperty("githubRepo").GetString());
        var task = Assert.Single((await Service.ListTasksAsync(slug)).EnumerateArray());
        Assert.EndsWith("/auditmos-projects/new-name/issues/1", task.GetProperty("githubIssueUrl").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(dryRun: false)).GetProperty("found").GetInt32());
    }

    [Fact]
    public async Task A_vanished_repository_is_reported_and_left_linked()
    {
        var slug = await CreatedAsync("Vanished");
        Service.GitHub.Repositories.Delete(Assert.Single(Service.GitHub.Repositories.All).Id);

        var report = await RunAsync(dryRun: false);

        var finding = Assert.Single(report.GetProperty("findings").EnumerateArray());
        Assert.Equal(("vanished", slug, JsonValueKind.Null),
            (finding.GetProperty("kind").GetString(), finding.GetProperty("subject").GetString(), finding.GetProperty("action").ValueKind));
        Assert.Equal("auditmos-projects/vanished", (await Service.GetProjectAsync(slug)).GetProperty("githubRepo").GetString());
    }

    [Fact]
    public async Task A_repository_of_ours_that_is_linked_to_nothing_is_reported()
    {
        var slug = await CreatedAsync("Orphaned");
        Assert.Equal(HttpStatusCode.NoContent, (await Service.Http.DeleteAsync($"/projects/{slug}", Cancelled)).StatusCode);

        var finding = Assert.Single((await RunAsync(dryRun: false)).GetProperty("findings").EnumerateArray());

        Assert.Equal(("orphan", "auditmos-projects/orphaned"), (finding.GetProperty("kind").GetString(), finding.GetProperty("subject").GetString()));
    }

    [Fact]
    public async Task A_repository_that_the_admin_chose_is_known_by_its_number_from_then_on()
    {
        Assert.NotNull(Service.GitHub.Repositories.Create(RunningService.Organization, "by-hand", isPrivate: true, "not ours", stranger: false));
        var slug = await Service.CreateProjectAsync("Chosen");
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = "auditmos-projects/by-hand" }, Cancelled)).ReadAsync(HttpStatusCode.OK);

        await RunAsync(dryRun: true);
        Assert.Equal(0, await Service.QueryAsync<long>($"SELECT github_repo_id FROM projects WHERE slug = '{slug}'"));
        await RunAsync(dryRun: false);

        Assert.Equal(
            Assert.Single(Service.GitHub.Repositories.All).Id, await Service.QueryAsync<long>($"SELECT github_repo_id FROM projects WHERE slug = '{slug}'"));
    }

    [Fact]
    public async Task While_GitHub_is_away_jobs_are_looked_after_all_the_same_and_nothing_counts_as_settled()
    {
        await CreatedAsync("Vanished");
        Service.GitHub.Repositories.Delete(Assert.Single(Service.GitHub.Repositories.All).Id);
        await RunAsync(dryRun: false);
        var slug = await DeletedAsync("Deleted");
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Path = "/user/repos" });

        var report = await RunAsync(dryRun: false);

        Assert.StartsWith("GITHUB_UNAVAILABLE", report.GetProperty("githubError").GetString(), StringComparison.Ordinal);
        Assert.Equal(1, report.GetProperty("mended").GetInt32());
        await Service.CreationReachesAsync(slug, "created");
        Assert.Equal("vanished", Assert.Single((await FindingsAsync("")).EnumerateArray()).GetProperty("kind").GetString());
    }

    [Fact]
    public async Task It_recurs_and_shows_its_report_in_the_dashboard()
    {
        await using var service = await RunningService.StartAsync(_cluster, runsRecurringJobs: true);
        await Eventually.ReturnsAsync(
            () => service.QueryAsync<string>("SELECT value FROM hangfire.hash WHERE key = 'recurring-job:reconcile' AND field = 'Cron'"), cron => cron is "*/15 * * * *", "the schedule");

        var jobId = service.Services.GetRequiredService<IRecurringJobManager>() is IRecurringJobManagerV2 manager ? manager.TriggerJob("reconcile") : "";

        await service.JobReachesAsync(jobId, "Succeeded");
        var result = await service.QueryAsync<string>($"SELECT data->>'Result' FROM hangfire.state WHERE jobid = {jobId} AND name = 'Succeeded'");
        Assert.Contains("\"mode\":\"Repair\"", result, StringComparison.OrdinalIgnoreCase);
    }

    private async Task<string> CreatedAsync(string name)
    {
        var slug = await Service.CreateProjectAsync(name);
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "created");
        return slug;
    }

    /// <summary>An approved project whose scheduled job an operator deleted.</summary>
    private async Task<string> DeletedAsync(string name)
    {
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Method = "POST", Times = 1 });
        var slug = await Service.CreateProjectAsync(name);
        await Service.ApproveAsync(slug);
        var jobId = (await Service.CreationReachesAsync(slug, "retrying")).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(jobId, "Scheduled");
        Assert.True(Service.Services.GetRequiredService<IBackgroundJobClient>().Delete(jobId));
        return slug;
    }

    private async Task<ReconciliationReport> RoundAsync()
    {
        await using var scope = Service.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<Reconciliation>().RunAsync(ReconciliationMode.Repair, Cancelled);
    }

    private async Task<JsonElement> RunAsync(bool dryRun) =>
        await (await Service.Http.PostAsJsonAsync("/repo-creations/reconcile", new { dryRun }, Cancelled)).ReadAsync(HttpStatusCode.OK);

    private async Task<JsonElement> FindingsAsync(string query) =>
        await (await Service.Http.GetAsync($"/repo-creations/findings{query}", Cancelled)).ReadAsync(HttpStatusCode.OK);
}
