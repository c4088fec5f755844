using System.Globalization;
using System.Text.Json;
using DataService.Jobs;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using GitHubSimulator.Requests;
using Hangfire;

namespace DataService.Tests.Jobs;

/// <summary>The whole path: approval, Hangfire, Octokit over HTTP, and what users see of it.</summary>
public sealed class CreateProjectRepoJobTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    protected override Dictionary<string, string?> Settings => new()
    {
        ["GitHub:RequestTimeout"] = "00:00:02",
        ["Jobs:FirstRetryDelay"] = "00:00:00.200",
    };

    [Theory]
    [InlineData(nameof(RefusalPreset.BadCredentials), "GITHUB_UNAUTHORIZED", 401)]
    [InlineData(nameof(RefusalPreset.Permission), "GITHUB_FORBIDDEN", 403)]
    [InlineData(nameof(RefusalPreset.NotAdmin), "GITHUB_FORBIDDEN", 403)]
    [InlineData(nameof(RefusalPreset.Sso), "GITHUB_FORBIDDEN", 403)]
    [InlineData(nameof(RefusalPreset.TokenLifetime), "GITHUB_FORBIDDEN", 403)]
    [InlineData(nameof(RefusalPreset.OrgNotFound), "GITHUB_NOT_FOUND", 404)]
    [InlineData(nameof(RefusalPreset.PlanLimit), "GITHUB_VALIDATION", 422)]
    [InlineData(nameof(RefusalPreset.Validation), "GITHUB_VALIDATION", 422)]
    [InlineData(nameof(RefusalPreset.Unavailable451), "GITHUB_VALIDATION", 451)]
    public async Task A_permanent_failure_goes_straight_to_Failed_with_one_POST_and_no_suffix(string preset, string code, int status)
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = Enum.Parse<RefusalPreset>(preset) });

        var (slug, project) = await ApproveAndReachAsync("Refused", "failed");

        var creation = project.GetProperty("repoCreation");
        Assert.Equal((code, status, 1), (creation.GetProperty("errorCode").GetString(), creation.GetProperty("githubStatus").GetInt32(), creation.GetProperty("attempts").GetInt32()));
        Assert.Equal(JsonValueKind.Null, creation.GetProperty("nextAttemptAt").ValueKind);
        Assert.False(string.IsNullOrWhiteSpace(creation.GetProperty("githubError").GetString()));
        await Service.JobReachesAsync(creation.GetProperty("jobId").GetString()!, "Failed");
        Assert.Equal(slug, NameIn(Assert.Single(Posts)));
        Assert.Empty(Service.GitHub.Repositories.All);
    }

    [Theory]
    [InlineData(nameof(FaultKind.BadGateway))]
    [InlineData(nameof(FaultKind.ServerError))]
    [InlineData(nameof(FaultKind.Reset))]
    [InlineData(nameof(FaultKind.HtmlBody))]
    public async Task A_transient_failure_is_retried_and_ends_in_exactly_one_repository(string kind)
    {
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind), Method = "POST", Times = 1 });

        var (slug, project) = await ApproveAndReachAsync("Shaky", "created");

        AssertOnlyRepository(slug, project);
        Assert.Equal(2, project.GetProperty("repoCreation").GetProperty("attempts").GetInt32());
        Assert.Equal(2, Posts.Count);
    }

    [Theory]
    [InlineData(nameof(FaultKind.LostAnswer))]
    [InlineData(nameof(FaultKind.StalledBody))]
    [InlineData(nameof(FaultKind.TruncatedBody))]
    [InlineData(nameof(FaultKind.CutBody))]
    [InlineData(nameof(FaultKind.EmptyBody))]
    [InlineData(nameof(FaultKind.NullBody))]
    public async Task A_repository_whose_answer_was_lost_is_found_in_the_same_attempt(string kind)
    {
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind), Method = "POST", Times = 1 });

        var (slug, project) = await ApproveAndReachAsync("Lost", "created");

        AssertOnlyRepository(slug, project);
        Assert.Equal(1, project.GetProperty("repoCreation").GetProperty("attempts").GetInt32());
        Assert.Single(Posts);
    }

    [Fact]
    public async Task A_repository_that_shows_late_is_found_by_the_next_attempt_without_another_POST()
    {
        Service.Break(new FaultRule { Kind = FaultKind.LostAnswer, Method = "POST", Times = 1 });
        Service.Break(new FaultRule { Kind = FaultKind.NotYetVisible, Times = 1 });

        var (slug, project) = await ApproveAndReachAsync("Late", "created");

        AssertOnlyRepository(slug, project);
        Assert.Equal(2, project.GetProperty("repoCreation").GetProperty("attempts").GetInt32());
        Assert.Single(Posts);
    }

    [Fact]
    public async Task The_number_of_the_repository_is_saved()
    {
        var (slug, _) = await ApproveAndReachAsync("Numbered", "created");

        Assert.Equal(
            Assert.Single(Service.GitHub.Repositories.All).Id,
            await Service.QueryAsync<long>($"SELECT github_repo_id FROM projects WHERE slug = '{slug}'"));
    }

    [Fact]
    public async Task A_repository_of_ours_that_was_forgotten_is_found_by_its_mark_before_a_suffix_is_drawn()
    {
        Stranger("forgotten");
        var (slug, project) = await ApproveAndReachAsync("Forgotten", "created");
        var before = project.GetProperty("githubRepo").GetString();
        // As a database that was restored from before the creation.
        await Service.QueryAsync<int>($"UPDATE projects SET github_repo = NULL, github_repo_id = NULL WHERE slug = '{slug}'");
        await Service.QueryAsync<int>("DELETE FROM repo_creations");

        await Service.ApproveAsync(slug);

        Assert.Equal(before, (await Service.CreationReachesAsync(slug, "created")).GetProperty("githubRepo").GetString());
        Assert.Single(Service.GitHub.Repositories.All, repository => !repository.Stranger);
    }

    [Theory]
    [InlineData(nameof(FaultKind.PrimaryLimit), 403)]
    [InlineData(nameof(FaultKind.PrimaryLimit429), 429)]
    [InlineData(nameof(FaultKind.SecondaryLimit), 403)]
    [InlineData(nameof(FaultKind.SecondaryLimit429), 429)]
    [InlineData(nameof(FaultKind.Abuse), 403)]
    public async Task A_limit_is_waited_out_until_the_time_that_GitHub_states(string kind, int status)
    {
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind), RetryAfterSeconds = 600, ResetSeconds = 600 });
        var before = DateTime.UtcNow;

        var (_, project) = await ApproveAndReachAsync("Too fast", "retrying");

        var creation = project.GetProperty("repoCreation");
        Assert.Equal(("GITHUB_RATE_LIMITED", status), (creation.GetProperty("errorCode").GetString(), creation.GetProperty("githubStatus").GetInt32()));
        var next = creation.GetProperty("nextAttemptAt").GetDateTime();
        Assert.InRange(next, before.AddSeconds(600), DateTime.UtcNow.AddSeconds(600 + 32));
        var jobId = creation.GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(jobId, "Scheduled");
        var score = await Service.QueryAsync<double>($"SELECT score FROM hangfire.set WHERE key = 'schedule' AND value = '{jobId}'");
        Assert.Equal(new DateTimeOffset(next).ToUnixTimeSeconds(), score);
    }

    [Fact]
    public async Task A_limit_without_a_time_is_waited_out_for_at_least_a_minute()
    {
        Service.Break(new FaultRule { Kind = FaultKind.SecondaryLimit });
        var before = DateTime.UtcNow;

        var (_, project) = await ApproveAndReachAsync("Much too fast", "retrying");

        Assert.InRange(project.GetProperty("repoCreation").GetProperty("nextAttemptAt").GetDateTime(), before.AddSeconds(60), DateTime.UtcNow.AddSeconds(73));
    }

    [Fact]
    public async Task A_taken_name_leads_to_one_suffix()
    {
        Stranger("taken");

        var (slug, project) = await ApproveAndReachAsync("Taken", "created");

        Assert.Equal("taken", slug);
        Assert.Matches(@"^auditmos-projects/taken-[0-9a-z]{4}$", project.GetProperty("githubRepo").GetString());
        Assert.Equal(["taken", project.GetProperty("githubRepo").GetString()!["auditmos-projects/".Length..]], Posts.Select(NameIn));
    }

    [Fact]
    public async Task A_taken_suffix_gives_up_and_a_re_run_draws_a_new_one()
    {
        Service.Break(new FaultRule { Kind = FaultKind.TakenByStranger, Method = "POST", Times = 2 });
        var (slug, project) = await ApproveAndReachAsync("Taken twice", "failed");
        Assert.Equal("GITHUB_REPO_NAME_TAKEN", project.GetProperty("repoCreation").GetProperty("errorCode").GetString());
        Assert.Equal(422, project.GetProperty("repoCreation").GetProperty("githubStatus").GetInt32());
        Assert.Equal(2, Posts.Count);

        await (await Service.Http.PostAsync($"/projects/{slug}/repo-creation", null, Cancelled)).ReadAsync(HttpStatusCode.Accepted);

        await Service.CreationReachesAsync(slug, "created");
        var tried = Posts.Select(NameIn).ToList();
        Assert.Equal(4, tried.Distinct().Count() + 1);
        Assert.Equal([slug, slug], [tried[0], tried[2]]);
    }

    [Fact]
    public async Task A_lost_answer_to_the_suffixed_name_is_adopted_under_that_name()
    {
        Stranger("twice-unlucky");
        Service.Break(new FaultRule { Kind = FaultKind.LostAnswer, Method = "POST", Name = "twice-unlucky-*", Times = 1 });

        var (_, project) = await ApproveAndReachAsync("Twice unlucky", "created");

        var ours = Assert.Single(Service.GitHub.Repositories.All, repository => !repository.Stranger);
        Assert.Equal(ours.FullName, project.GetProperty("githubRepo").GetString());
        Assert.Equal(["twice-unlucky", ours.Name], Posts.Select(NameIn));
    }

    [Fact]
    public async Task A_creation_that_keeps_failing_is_given_up_after_ten_retries_and_a_re_run_gets_a_full_set()
    {
        await using var hasty = await RunningService.StartAsync(_cluster, new() { ["Jobs:FirstRetryDelay"] = "00:00:00.0001" });
        hasty.Break(new FaultRule { Kind = FaultKind.BadGateway, Method = "POST" });
        var slug = await hasty.CreateProjectAsync("Hopeless");
        await hasty.ApproveAsync(slug);
        var creation = (await hasty.CreationReachesAsync(slug, "failed")).GetProperty("repoCreation");
        Assert.Equal(11, creation.GetProperty("attempts").GetInt32());
        await hasty.JobReachesAsync(creation.GetProperty("jobId").GetString()!, "Failed");

        await (await hasty.Http.PostAsync($"/projects/{slug}/repo-creation", null, Cancelled)).ReadAsync(HttpStatusCode.Accepted);

        await Eventually.ReturnsAsync(
            () => hasty.GetProjectAsync(slug),
            project => project.GetProperty("repoCreation") is var again && again.GetProperty("state").GetString() == "failed" && again.GetProperty("attempts").GetInt32() == 22,
            "eleven more attempts");
    }

    [Fact]
    public async Task The_admins_choice_during_the_creation_stays_and_the_log_names_the_other_one()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Hang, Method = "POST" });
        var slug = await Service.CreateProjectAsync("Undecided");
        await Service.ApproveAsync(slug);
        await Service.GitHub.Requests.WhenReceived(request => request.Method == "POST", Cancelled);
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = "admin/choice" }, Cancelled)).ReadAsync(HttpStatusCode.OK);

        Service.GitHub.Faults.Clear();

        var project = await Service.CreationReachesAsync(slug, "skipped");
        Assert.Equal("admin/choice", project.GetProperty("githubRepo").GetString());
        // The choice has settled the creation, and the run does not know it yet.
        await Service.JobReachesAsync(project.GetProperty("repoCreation").GetProperty("jobId").GetString()!, "Succeeded");
        Assert.Contains(Service.Logs.Events, e => e.RenderMessage(CultureInfo.InvariantCulture) is var line
            && line.Contains("auditmos-projects/undecided", StringComparison.Ordinal) && line.Contains("admin/choice", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_admins_choice_during_an_attempt_that_then_fails_settles_the_creation()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Method = "POST", DelayMs = 700 });
        var slug = await Service.CreateProjectAsync("Overtaken");
        await Service.ApproveAsync(slug);
        await Service.GitHub.Requests.WhenReceived(request => request.Method == "POST", Cancelled);
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = "admin/choice" }, Cancelled)).ReadAsync(HttpStatusCode.OK);

        var project = await Service.CreationReachesAsync(slug, "skipped");

        await Service.JobReachesAsync(project.GetProperty("repoCreation").GetProperty("jobId").GetString()!, "Succeeded");
        Assert.Equal("skipped", (await Service.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_project_that_was_deleted_before_its_job_ran_is_left_alone()
    {
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Method = "POST", Times = 1 });
        var slug = await Service.CreateProjectAsync("Gone");
        await Service.ApproveAsync(slug);
        var jobId = (await Service.CreationReachesAsync(slug, "retrying")).GetProperty("repoCreation").GetProperty("jobId").GetString()!;

        Assert.Equal(HttpStatusCode.NoContent, (await Service.Http.DeleteAsync($"/projects/{slug}", Cancelled)).StatusCode);

        await Service.JobReachesAsync(jobId, "Succeeded");
        Assert.Single(Posts);
        Assert.Empty(Service.GitHub.Repositories.All);
    }

    [Fact]
    public async Task A_choice_made_between_two_attempts_ends_the_creation_without_another_call()
    {
        Service.Break(new FaultRule { Kind = FaultKind.SecondaryLimit, RetryAfterSeconds = 2, Times = 1 });
        var (slug, project) = await ApproveAndReachAsync("Settled", "retrying");
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = "admin/choice" }, Cancelled)).ReadAsync(HttpStatusCode.OK);

        await Service.JobReachesAsync(project.GetProperty("repoCreation").GetProperty("jobId").GetString()!, "Succeeded");

        Assert.Equal("skipped", (await Service.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("state").GetString());
        Assert.Single(Posts);
    }

    [Fact]
    public async Task A_choice_that_was_taken_back_does_not_wake_the_job_that_it_settled()
    {
        Service.Break(new FaultRule { Kind = FaultKind.SecondaryLimit, RetryAfterSeconds = 2, Times = 1 });
        var (slug, project) = await ApproveAndReachAsync("Wavering", "retrying");
        foreach (var choice in (string?[])["admin/choice", null])
            await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = choice }, Cancelled)).ReadAsync(HttpStatusCode.OK);

        await Service.JobReachesAsync(project.GetProperty("repoCreation").GetProperty("jobId").GetString()!, "Succeeded");

        Assert.Equal("skipped", (await Service.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("state").GetString());
        Assert.Single(Posts);
    }

    [Fact]
    public async Task Without_a_token_approvals_work_and_jobs_fail_without_calling_GitHub()
    {
        await using var tokenless = await RunningService.StartAsync(_cluster, new() { ["GITHUB_TOKEN"] = null });
        var slug = await tokenless.CreateProjectAsync("No token");
        await tokenless.ApproveAsync(slug);

        var creation = (await tokenless.CreationReachesAsync(slug, "failed")).GetProperty("repoCreation");

        Assert.Equal("GITHUB_TOKEN_MISSING", creation.GetProperty("errorCode").GetString());
        Assert.Equal(JsonValueKind.Null, creation.GetProperty("githubStatus").ValueKind);
        Assert.Empty(tokenless.GitHub.Requests.All);
    }

    [Fact]
    public async Task No_token_appears_in_any_log_line_row_or_answer_of_a_run_with_every_kind_of_failure()
    {
        await using var service = await RunningService.StartAsync(_cluster, new(Settings) { ["Jobs:PauseAfterRefusals"] = "0" });
        // The worst case: a proxy that echoes the request's headers in its error.
        service.Break(new FaultRule { Kind = FaultKind.Refuse, Status = 403, Name = "echo-*", Message = $"denied: authorization Bearer {RunningService.GitHubToken}" });
        foreach (var preset in Enum.GetValues<RefusalPreset>())
            service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = preset, Name = "preset-*", Times = 1 });
        service.Break(new FaultRule { Kind = FaultKind.BadGateway, Name = "shaky-*", Times = 1 });
        service.Break(new FaultRule { Kind = FaultKind.StalledBody, Name = "shaky-*", Times = 1 });
        var answers = new List<string>();
        string[] names = ["echo 1", .. Enumerable.Range(0, Enum.GetValues<RefusalPreset>().Length).Select(i => $"preset {i}"), "shaky 1", "shaky 2", "fine"];

        foreach (var name in names)
            await service.ApproveAsync(await service.CreateProjectAsync(name));
        await service.Anonymous.GetAsync("/projects?token=x", Cancelled);
        foreach (var name in names)
        {
            var settled = await Eventually.ReturnsAsync(
                () => service.GetProjectAsync(name.Replace(' ', '-')),
                project => project.GetProperty("repoCreation").GetProperty("state").GetString() is "failed" or "created",
                $"{name} to be settled");
            answers.Add(settled.ToString());
        }

        var rows = await service.QueryAsync<string>(
            "SELECT string_agg(t::text, ' ') FROM (SELECT to_jsonb(r) t FROM repo_creations r UNION ALL SELECT to_jsonb(s) FROM hangfire.state s UNION ALL SELECT to_jsonb(j) FROM hangfire.job j UNION ALL SELECT to_jsonb(k) FROM data_protection_keys k "
            + "UNION ALL SELECT to_jsonb(e) FROM creation_events e UNION ALL SELECT to_jsonb(a) FROM audit_entries a) t");
        Assert.Contains("denied: authorization Bearer ***", rows, StringComparison.Ordinal);
        Assert.Contains("denied: authorization Bearer ***", await service.QueryAsync<string>("SELECT string_agg(text, ' ') FROM creation_events"), StringComparison.Ordinal);
        Assert.NotEmpty(service.Logs.Events);
        foreach (var text in (string[])[service.Logs.Text, rows!, .. answers])
        {
            Assert.DoesNotContain(RunningService.GitHubToken, text, StringComparison.Ordinal);
            Assert.DoesNotContain(RunningService.ApiToken, text, StringComparison.Ordinal);
        }
    }

    private IReadOnlyList<ReceivedRequest> Posts => Service.GitHub.Requests.Of("POST", "/orgs/*/repos");

    private static string NameIn(ReceivedRequest request) => JsonDocument.Parse(request.Body).RootElement.GetProperty("name").GetString()!;

    private void AssertOnlyRepository(string slug, JsonElement project)
    {
        Assert.Equal($"auditmos-projects/{slug}", project.GetProperty("githubRepo").GetString());
        Assert.Equal($"auditmos-projects/{slug}", Assert.Single(Service.GitHub.Repositories.All).FullName);
    }

    private void Stranger(string name) =>
        Assert.NotNull(Service.GitHub.Repositories.Create(RunningService.Organization, name, isPrivate: true, "not ours", stranger: true));

    [Theory]
    [InlineData("failed")]
    [InlineData("created")]
    public async Task A_job_that_another_one_has_replaced_begins_nothing_that_is_settled(string state)
    {
        if (state is "failed")
            Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.PlanLimit, Times = 1 });
        var (slug, project) = await ApproveAndReachAsync("Settled", state);
        var creation = project.GetProperty("repoCreation");
        await Service.JobReachesAsync(creation.GetProperty("jobId").GetString()!, state is "failed" ? "Failed" : "Succeeded");
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = (string?)null }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        var before = await Service.GetProjectAsync(slug);

        // As one whose process died between the other's commit and its own deletion.
        var projectId = project.GetProperty("id").GetGuid();
        var leftover = Service.Services.GetRequiredService<IBackgroundJobClient>().Enqueue<CreateProjectRepoJob>(job => job.RunAsync(projectId, null!, CancellationToken.None));
        await Service.JobReachesAsync(leftover, "Succeeded");

        Assert.Equal(before.ToString(), (await Service.GetProjectAsync(slug)).ToString());
        Assert.Single(Posts);
    }

    private async Task<(string Slug, JsonElement Project)> ApproveAndReachAsync(string name, string state)
    {
        var slug = await Service.CreateProjectAsync(name);
        await Service.ApproveAsync(slug);
        return (slug, await Service.CreationReachesAsync(slug, state));
    }
}
