using System.Text.Json;
using DataService.Jobs;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire;

namespace DataService.Tests.Jobs;

/// <summary>The budget, GitHub's limits and the breaker, as users and operators see them.</summary>
public sealed class CreationPauseTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    protected override Dictionary<string, string?> Settings => new() { ["Jobs:FirstRetryDelay"] = "00:00:00.200" };

    [Fact]
    public async Task A_creation_without_a_turn_waits_as_queued_and_spends_no_attempt()
    {
        await using var slow = await RunningService.StartAsync(_cluster, new() { ["GitHub:ContentBudget"] = "1/1h" });
        var first = await slow.CreateProjectAsync("First");
        await slow.ApproveAsync(first);
        await slow.CreationReachesAsync(first, "created");
        var second = await slow.CreateProjectAsync("Second");
        await slow.ApproveAsync(second);

        var creation = await WaitingAsync(slow, second, "budget");

        Assert.Equal(("queued", 0), (creation.GetProperty("state").GetString(), creation.GetProperty("attempts").GetInt32()));
        Assert.InRange(creation.GetProperty("nextAttemptAt").GetDateTime(), DateTime.UtcNow.AddMinutes(55), DateTime.UtcNow.AddMinutes(61));
        await slow.JobReachesAsync(creation.GetProperty("jobId").GetString()!, "Scheduled");
        Assert.Single(slow.GitHub.Requests.Of("POST", "/orgs/*/repos"));
        var status = await StatusAsync(slow);
        Assert.Equal((1, 1), (status.GetProperty("waitingForBudget").GetInt32(), status.GetProperty("budget")[0].GetProperty("used").GetInt32()));
    }

    [Fact]
    public async Task A_waiting_creation_goes_on_when_its_turn_has_come()
    {
        await using var slow = await RunningService.StartAsync(_cluster, new() { ["GitHub:ContentBudget"] = "1/3s" });
        var slugs = new List<string>();
        foreach (var name in (string[])["One", "Two", "Three"])
        {
            slugs.Add(await slow.CreateProjectAsync(name));
            await slow.ApproveAsync(slugs[^1]);
        }

        foreach (var slug in slugs)
            Assert.Equal(1, (await slow.CreationReachesAsync(slug, "created")).GetProperty("repoCreation").GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task The_suffix_waits_for_a_turn_of_its_own_within_the_same_attempt()
    {
        await using var slow = await RunningService.StartAsync(_cluster, new() { ["GitHub:ContentBudget"] = "1/3s" });
        Assert.NotNull(slow.GitHub.Repositories.Create(RunningService.Organization, "taken", isPrivate: true, "not ours", stranger: true));
        var slug = await slow.CreateProjectAsync("Taken");
        await slow.ApproveAsync(slug);

        var project = await slow.CreationReachesAsync(slug, "created");

        Assert.Equal(1, project.GetProperty("repoCreation").GetProperty("attempts").GetInt32());
        Assert.Single(slow.GitHub.Repositories.All, repository => !repository.Stranger);
        Assert.Equal(2, slow.GitHub.Requests.Of("POST", "/orgs/*/repos").Count);
    }

    [Fact]
    public async Task A_turn_that_was_reserved_for_a_name_is_kept_when_the_look_before_it_finds_nobody()
    {
        await using var slow = await RunningService.StartAsync(_cluster, new() { ["GitHub:ContentBudget"] = "1/5s" });
        Assert.NotNull(slow.GitHub.Repositories.Create(RunningService.Organization, "crowded", isPrivate: true, "not ours", stranger: true));
        var slug = await slow.CreateProjectAsync("Crowded");
        await slow.ApproveAsync(slug);

        var project = await slow.CreationReachesAsync(slug, "created");

        // Its suffix was looked for when its turn had come, and not in circles.
        var suffixed = project.GetProperty("githubRepo").GetString()!["auditmos-projects/".Length..];
        Assert.Single(slow.GitHub.Requests.Of("GET", $"/repos/auditmos-projects/{suffixed}"));
        Assert.Equal(1, project.GetProperty("repoCreation").GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task A_retry_that_a_pause_held_up_keeps_its_count_when_it_goes_on()
    {
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Method = "POST" });
        var slug = await Service.CreateProjectAsync("Held up");
        await Service.ApproveAsync(slug);
        await Eventually.ReturnsAsync(() => Service.QueryAsync<int>("SELECT retries FROM repo_creations"), retries => retries > 1, "two retries");
        await (await Service.Http.PostAsJsonAsync("/repo-creations/pause", new { reason = "Wait." }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        await WaitingAsync(Service, slug, "resume");
        var before = await Service.QueryAsync<int>("SELECT retries FROM repo_creations");
        Service.GitHub.Faults.Clear();

        await (await Service.Http.PostAsync("/repo-creations/resume", null, Cancelled)).ReadAsync(HttpStatusCode.OK);

        await Service.CreationReachesAsync(slug, "created");
        Assert.Equal(before, await Service.QueryAsync<int>("SELECT retries FROM repo_creations"));
    }

    [Fact]
    public async Task A_pause_by_hand_over_one_of_the_breakers_is_no_longer_ended_by_a_new_token()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.BadCredentials });
        await PausedAsync(Service, 3);

        var status = await (await Service.Http.PostAsJsonAsync("/repo-creations/pause", new { reason = "Ours now." }, Cancelled)).ReadAsync(HttpStatusCode.OK);

        var pause = status.GetProperty("pause");
        Assert.Equal(("operator", "Ours now.", JsonValueKind.Null),
            (pause.GetProperty("by").GetString(), pause.GetProperty("reason").GetString(), pause.GetProperty("code").ValueKind));
    }

    [Fact]
    public async Task A_refused_push_leaves_the_turns_to_those_who_come_back_for_them()
    {
        await using var slow = await RunningService.StartAsync(_cluster, new() { ["GitHub:ContentBudget"] = "1/1h" });
        var slug = await slow.CreateProjectAsync("Pushed");
        await slow.ApproveAsync(slug);
        await slow.CreationReachesAsync(slug, "created");
        await slow.AddTaskAsync(slug, "One");

        for (var i = 0; i < 3; i++)
        {
            var refused = await slow.Http.PostAsync($"/github/projects/{slug}/push", null, Cancelled);
            await refused.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "GITHUB_RATE_LIMITED");
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(55), TimeSpan.FromMinutes(60));
        }

        Assert.Null(await slow.QueryAsync<DateTime?>("SELECT next_turn_at FROM github_quotas"));
    }

    [Fact]
    public async Task A_limit_of_GitHubs_stops_all_creations_and_is_to_be_seen()
    {
        Service.Break(new FaultRule { Kind = FaultKind.SecondaryLimit, RetryAfterSeconds = 600, Times = 1 });
        var first = await Service.CreateProjectAsync("Limited");
        await Service.ApproveAsync(first);
        await Service.CreationReachesAsync(first, "retrying");
        var second = await Service.CreateProjectAsync("Behind it");
        await Service.ApproveAsync(second);

        var waiting = await WaitingAsync(Service, second, "budget");

        Assert.Equal(0, waiting.GetProperty("attempts").GetInt32());
        Assert.Single(Service.GitHub.Requests.All);
        Assert.InRange((await StatusAsync(Service)).GetProperty("limitedUntil").GetDateTime(), DateTime.UtcNow.AddMinutes(9), DateTime.UtcNow.AddMinutes(10));
    }

    [Fact]
    public async Task A_token_that_is_refused_three_times_pauses_creation_and_approvals_go_on()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.BadCredentials });
        foreach (var name in (string[])["One", "Two"])
        {
            var slug = await Service.CreateProjectAsync(name);
            await Service.ApproveAsync(slug);
            await Service.CreationReachesAsync(slug, "failed");
        }

        foreach (var name in (string[])["Three", "Four", "Five"])
        {
            var slug = await Service.CreateProjectAsync(name);
            Assert.Equal("review", (await Service.ApproveAsync(slug)).GetProperty("status").GetString());
            await WaitingAsync(Service, slug, "resume");
        }

        Assert.Equal(3, Service.GitHub.Requests.All.Count);
        var status = await StatusAsync(Service);
        var pause = status.GetProperty("pause");
        Assert.Equal(
            ("breaker", "GITHUB_UNAUTHORIZED", "Bad credentials", 3),
            (pause.GetProperty("by").GetString(), pause.GetProperty("code").GetString(), pause.GetProperty("reason").GetString(), status.GetProperty("waitingForResume").GetInt32()));
    }

    [Fact]
    public async Task Resuming_by_hand_wakes_what_waited()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission });
        var slugs = await PausedAsync(Service, 5);
        Service.GitHub.Faults.Clear();

        await (await Service.Http.PostAsync("/repo-creations/resume", null, Cancelled)).ReadAsync(HttpStatusCode.OK);

        foreach (var slug in slugs)
            await Eventually.ReturnsAsync(
                () => Service.GetProjectAsync(slug), p => p.GetProperty("repoCreation").GetProperty("state").GetString() is "created" or "failed", $"{slug} to be settled");
        Assert.Equal(3, Service.GitHub.Repositories.All.Count);
        Assert.Equal(JsonValueKind.Null, (await StatusAsync(Service)).GetProperty("pause").ValueKind);
    }

    [Fact]
    public async Task What_began_to_wait_when_the_pause_had_just_ended_is_woken_within_a_minute()
    {
        await (await Service.Http.PostAsJsonAsync("/repo-creations/pause", new { reason = "The plan is changed." }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        var slug = await Service.CreateProjectAsync("Late");
        await Service.ApproveAsync(slug);
        await WaitingAsync(Service, slug, "resume");
        // As if the process had died between the end of the pause and the waking of those who wait for it.
        await Service.QueryAsync<int>("DELETE FROM creation_pause");

        ProbeNow();

        await Service.CreationReachesAsync(slug, "created");
    }

    [Fact]
    public async Task A_failure_between_two_refusals_is_no_reason_to_pause_but_a_success_begins_the_count_anew()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Name = "bad-*" });
        foreach (var name in (string[])["bad 1", "bad 2", "good 1", "bad 3", "bad 4"])
        {
            var slug = await Service.CreateProjectAsync(name);
            await Service.ApproveAsync(slug);
            await Service.CreationReachesAsync(slug, name.StartsWith("bad", StringComparison.Ordinal) ? "failed" : "created");
        }

        Assert.Equal(JsonValueKind.Null, (await StatusAsync(Service)).GetProperty("pause").ValueKind);
    }

    [Fact]
    public async Task A_pause_by_hand_lets_creations_wait_and_says_why()
    {
        var body = await (await Service.Http.PostAsJsonAsync("/repo-creations/pause", new { reason = "The plan is changed." }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        Assert.Equal(("operator", "The plan is changed."), (body.GetProperty("pause").GetProperty("by").GetString(), body.GetProperty("pause").GetProperty("reason").GetString()));
        var slug = await Service.CreateProjectAsync("Patient");
        await Service.ApproveAsync(slug);
        await WaitingAsync(Service, slug, "resume");
        await (await Service.Http.PostAsJsonAsync("/repo-creations/pause", new { reason = "Another reason." }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        Assert.Equal("The plan is changed.", (await StatusAsync(Service)).GetProperty("pause").GetProperty("reason").GetString());

        await (await Service.Http.PostAsync("/repo-creations/resume", null, Cancelled)).ReadAsync(HttpStatusCode.OK);

        await Service.CreationReachesAsync(slug, "created");
    }

    [Fact]
    public async Task A_pause_needs_a_reason() =>
        await (await Service.Http.PostAsJsonAsync("/repo-creations/pause", new { reason = "" }, Cancelled)).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");

    [Fact]
    public async Task After_a_change_of_the_token_one_creation_tries_it_and_a_success_wakes_the_others()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.BadCredentials });
        var slugs = await PausedAsync(Service, 6);
        Service.GitHub.Faults.Clear();
        Service.GitHub.Requests.Clear();
        await ChangeTokenAsync();

        ProbeNow();

        foreach (var slug in slugs.Skip(2))
            await Service.CreationReachesAsync(slug, "created");
        Assert.Equal(JsonValueKind.Null, (await StatusAsync(Service)).GetProperty("pause").ValueKind);
    }

    [Fact]
    public async Task A_new_token_that_is_refused_too_costs_one_call_and_no_failure()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.BadCredentials });
        var slugs = await PausedAsync(Service, 5);
        Service.GitHub.Requests.Clear();
        await ChangeTokenAsync();

        ProbeNow();

        await Service.GitHub.Requests.WhenReceived(_ => true, Cancelled);
        await Eventually.ReturnsAsync(
            () => Service.QueryAsync<string>("SELECT credential FROM creation_pause WHERE probe_until IS NULL"), credential => credential is not null and not "another", "the pause to know the new token");
        foreach (var slug in slugs.Skip(2))
            await WaitingAsync(Service, slug, "resume");
        Assert.Single(Service.GitHub.Requests.All);
    }

    /// <summary>As if the refused token had been another one than the service has now.</summary>
    private Task<int> ChangeTokenAsync() => Service.QueryAsync<int>("UPDATE creation_pause SET credential = 'another'");

    private void ProbeNow() => Service.Services.GetRequiredService<IBackgroundJobClient>().Enqueue<ProbeTokenJob>(job => job.RunAsync(CancellationToken.None));

    /// <summary>Approves so many projects that GitHub's refusals pause creation; the first two fail.</summary>
    private static async Task<List<string>> PausedAsync(RunningService service, int projects)
    {
        var slugs = new List<string>();
        for (var i = 0; i < projects; i++)
        {
            slugs.Add(await service.CreateProjectAsync($"Project {i}"));
            await service.ApproveAsync(slugs[i]);
            if (i < 2)
                await service.CreationReachesAsync(slugs[i], "failed");
            else
                await WaitingAsync(service, slugs[i], "resume");
        }

        return slugs;
    }

    private static async Task<JsonElement> WaitingAsync(RunningService service, string slug, string reason) => (await Eventually.ReturnsAsync(
        () => service.GetProjectAsync(slug), project => project.GetProperty("repoCreation").GetProperty("waitsFor").GetString() == reason,
        $"{slug} to wait for {reason}")).GetProperty("repoCreation");

    private static async Task<JsonElement> StatusAsync(RunningService service) =>
        await (await service.Http.GetAsync("/repo-creations/status", Cancelled)).ReadAsync(HttpStatusCode.OK);
}
