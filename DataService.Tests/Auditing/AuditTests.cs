using System.Text.Json;
using DataService.Data;
using DataService.Jobs;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire;
using Hangfire.States;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace DataService.Tests.Auditing;

/// <summary>Each action leaves one entry, with the action and never without it.</summary>
public sealed class AuditTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private const string RequestId = "request-of-the-test";

    private readonly PostgresCluster _cluster = cluster;

    protected override Dictionary<string, string?> Settings => new() { ["Jobs:FirstRetryDelay"] = "01:00:00", ["Jobs:PauseAfterRefusals"] = "1" };

    [Fact]
    public async Task An_approval_is_written_down_with_who_when_and_the_request()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        var project = await Service.GetProjectAsync(slug);
        var before = DateTime.UtcNow;

        await SendAsync(HttpMethod.Post, $"/projects/{slug}/approve");

        var entry = Assert.Single(await EntriesAsync());
        AssertEntry(entry, "approve", "api token", "rest", slug, 1, null, null, RequestId);
        Assert.Equal(project.GetProperty("id").GetString(), entry.GetProperty("projectId").GetString());
        Assert.InRange(entry.GetProperty("at").GetDateTime(), before.AddSeconds(-1), DateTime.UtcNow.AddSeconds(1));
    }

    [Fact]
    public async Task An_approval_that_is_repeated_is_written_down_as_one()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        await SendAsync(HttpMethod.Post, $"/projects/{slug}/approve");

        await SendAsync(HttpMethod.Post, $"/projects/{slug}/approve");

        Assert.Equal(["again", null], (await EntriesAsync()).Select(entry => entry.GetProperty("detail").GetString()));
    }

    [Fact]
    public async Task An_approval_that_is_refused_or_of_nothing_is_not_written_down()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        await SendAsync(HttpMethod.Post, $"/projects/{slug}/approve");
        await SendAsync(HttpMethod.Put, $"/projects/{slug}/status", new { status = "active" });

        Assert.Equal(HttpStatusCode.Conflict, (await SendAsync(HttpMethod.Post, $"/projects/{slug}/approve", expected: null)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Post, "/projects/nobody/approve", expected: null)).StatusCode);

        Assert.Single(await EntriesAsync());
    }

    [Fact]
    public async Task A_choice_and_its_end_are_written_down_with_the_repository()
    {
        var slug = await Service.CreateProjectAsync("Acme");

        await SendAsync(HttpMethod.Put, $"/projects/{slug}/github-repo", new { githubRepo = "someone/else" });
        await SendAsync(HttpMethod.Put, $"/projects/{slug}/github-repo", new { githubRepo = (string?)null });

        var entries = await EntriesAsync();
        Assert.Equal(2, entries.Count);
        AssertEntry(entries[1], "choose_repository", "api token", "rest", slug, 1, null, "someone/else", RequestId);
        AssertEntry(entries[0], "clear_repository", "api token", "rest", slug, 1, null, "someone/else", RequestId);
    }

    [Fact]
    public async Task A_deletion_is_written_down_and_outlives_its_project()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        var id = (await Service.GetProjectAsync(slug)).GetProperty("id").GetString();

        await SendAsync(HttpMethod.Delete, $"/projects/{slug}");

        var entry = Assert.Single(await EntriesAsync());
        AssertEntry(entry, "delete_project", "api token", "rest", slug, 1, null, null, RequestId);
        Assert.Equal(id, entry.GetProperty("projectId").GetString());
    }

    [Fact]
    public async Task A_re_run_is_written_down_and_one_that_changes_nothing_counts_nothing()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.PlanLimit, Times = 1 });
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "failed");
        Service.Break(new FaultRule { Kind = FaultKind.Hang });

        await SendAsync(HttpMethod.Post, $"/projects/{slug}/repo-creation");
        await SendAsync(HttpMethod.Post, $"/projects/{slug}/repo-creation");

        var entries = await EntriesAsync("?action=requeue");
        Assert.Equal(2, entries.Count);
        AssertEntry(entries[1], "requeue", "api token", "rest", slug, 1, null, null, RequestId);
        AssertEntry(entries[0], "requeue", "api token", "rest", slug, 0, null, "it was under way already", RequestId);
    }

    [Fact]
    public async Task A_pause_and_its_end_are_written_down_with_the_reason_and_only_when_they_change_something()
    {
        await SendAsync(HttpMethod.Post, "/repo-creations/resume");
        await SendAsync(HttpMethod.Post, "/repo-creations/pause", new { reason = "The organisation moves." });
        await SendAsync(HttpMethod.Post, "/repo-creations/pause", new { reason = "Another reason." });
        await SendAsync(HttpMethod.Post, "/repo-creations/resume");

        var entries = await EntriesAsync();
        Assert.Equal(2, entries.Count);
        AssertEntry(entries[1], "pause", "api token", "rest", null, 1, "The organisation moves.", null, RequestId);
        Assert.Equal("resume", entries[0].GetProperty("action").GetString());
        Assert.Contains("The organisation moves.", entries[0].GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_services_own_pause_and_its_end_are_written_down_as_its_own()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.BadCredentials, Times = 1 });
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        var pause = Assert.Single(await ReachAsync("?action=pause", 1));
        AssertEntry(pause, "pause", "service", "service", null, 1, "Bad credentials", "GitHub refused the token 1 times in a row: GITHUB_UNAUTHORIZED", null);
        await Eventually.ReturnsAsync(
            () => Service.QueryAsync<string>("SELECT waits_for FROM repo_creations"), waits => waits is "resume", "the creation to wait");
        // As though the token had been another one: the next attempt is a probe.
        await Service.QueryAsync<int>("UPDATE creation_pause SET credential = 'another'");
        var jobId = (await Service.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(jobId, "Scheduled");

        Service.Services.GetRequiredService<IBackgroundJobClient>().ChangeState(jobId, new WokenState(), ScheduledState.StateName);

        var resume = Assert.Single(await ReachAsync("?action=resume", 1));
        AssertEntry(resume, "resume", "service", "service", null, 1, null, "GitHub accepts the new token", null);
        Assert.Equal(["resume", "pause", "approve"], (await EntriesAsync()).Select(entry => entry.GetProperty("action").GetString()));
    }

    [Fact]
    public async Task A_reconciliation_that_mends_is_written_down_with_how_many_and_a_dry_run_is_not()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.QueryAsync<int>("UPDATE projects SET approved_at = now(), status = 'review'");

        await SendAsync(HttpMethod.Post, "/repo-creations/reconcile", new { dryRun = true });
        Assert.Empty(await EntriesAsync());
        await SendAsync(HttpMethod.Post, "/repo-creations/reconcile", new { dryRun = false });

        AssertEntry(Assert.Single(await EntriesAsync()), "reconcile", "api token", "rest", null, 1, null, "1 found", RequestId);
        await Service.CreationReachesAsync(slug, "created");
    }

    [Fact]
    public async Task A_re_run_and_a_deletion_in_the_dashboard_are_written_down_under_the_persons_name_and_without_what_the_service_does_itself()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.PlanLimit, Times = 2 });
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        var jobId = (await Service.CreationReachesAsync(slug, "failed")).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(jobId, "Failed");
        using var admin = await AdminSession.OpenAsync(Service);

        await admin.PressAsync("/hangfire/jobs/failed", "requeue", jobId, RequestId);
        await Eventually.ReturnsAsync(
            () => Service.GetProjectAsync(slug), project => project.GetProperty("repoCreation").GetProperty("attempts").GetInt32() is 2, "the second attempt");
        await Service.JobReachesAsync(jobId, "Failed");
        await admin.PressAsync("/hangfire/jobs/failed", "delete", jobId, RequestId);

        var entries = await EntriesAsync();
        Assert.Equal(["delete_job", "retry_job", "approve"], entries.Select(entry => entry.GetProperty("action").GetString()));
        AssertEntry(entries[1], "retry_job", "api token", "dashboard", slug, 1, null, $"job {jobId} (CreateProjectRepoJob), which was failed", RequestId);
        AssertEntry(entries[0], "delete_job", "api token", "dashboard", slug, 1, null, $"job {jobId} (CreateProjectRepoJob), which was failed", RequestId);
    }

    [Fact]
    public async Task What_a_person_does_with_other_jobs_in_the_dashboard_is_written_down_too()
    {
        var jobs = Service.Services.GetRequiredService<IBackgroundJobClient>();
        var jobId = jobs.Schedule<WakeWaitingJob>(job => job.RunAsync(CancellationToken.None), TimeSpan.FromDays(1));
        using var admin = await AdminSession.OpenAsync(Service);

        await admin.PressAsync("/hangfire/jobs/scheduled", "enqueue", jobId, RequestId);
        await Service.JobReachesAsync(jobId, "Succeeded");
        Service.Services.GetRequiredService<IRecurringJobManager>()
            .AddOrUpdate<ReconcileJob>("reconcile", job => job.RunAsync(ReconciliationMode.Report, CancellationToken.None), Cron.Never());
        await admin.PressAsync("/hangfire/recurring", "trigger", "reconcile", RequestId);

        var entries = await EntriesAsync();
        Assert.Equal(2, entries.Count);
        AssertEntry(entries[1], "retry_job", "api token", "dashboard", null, 1, null, $"job {jobId} (WakeWaitingJob), which was scheduled", RequestId);
        Assert.Equal(("trigger_job", "api token"), (entries[0].GetProperty("action").GetString(), entries[0].GetProperty("actor").GetString()));
        Assert.Contains("(ReconcileJob)", entries[0].GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_superseded_job_that_the_service_tidies_away_is_nobodys_deletion()
    {
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Times = 1 });
        var slug = await Service.CreateProjectAsync("Acme");
        await Service.ApproveAsync(slug);
        var old = (await Service.CreationReachesAsync(slug, "retrying")).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(old, "Scheduled");

        await SendAsync(HttpMethod.Post, $"/projects/{slug}/repo-creation");

        await Service.JobReachesAsync(old, "Deleted");
        Assert.Equal(["requeue", "approve"], (await EntriesAsync()).Select(entry => entry.GetProperty("action").GetString()));
    }

    [Fact]
    public async Task A_script_is_known_by_how_it_calls_itself()
    {
        var slug = await Service.CreateProjectAsync("Acme");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/projects/{slug}/approve");
        request.Headers.UserAgent.ParseAdd("dataservice-scripts/1.0");

        await Service.Http.SendAsync(request, Cancelled);

        Assert.Equal("script", Assert.Single(await EntriesAsync()).GetProperty("origin").GetString());
    }

    [Theory]
    [InlineData("approve")]
    [InlineData("choose")]
    [InlineData("delete")]
    [InlineData("requeue")]
    [InlineData("pause")]
    [InlineData("resume")]
    public async Task A_change_that_is_rolled_back_leaves_no_entry(string action)
    {
        var failing = new FailingCommit();
        await using var broken = await RunningService.StartAsync(_cluster, Settings, services => services.ConfigureDbContext<DataServiceDbContext>(
            context => context.AddInterceptors(failing)));
        broken.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.PlanLimit });
        await broken.ForbidPlainApprovalsAsync();
        var slug = await broken.CreateProjectAsync("Acme");
        if (action is "requeue")
        {
            await broken.ApproveAsync(slug);
            await broken.CreationReachesAsync(slug, "failed");
        }

        if (action is "resume")
            await broken.Http.PostAsJsonAsync("/repo-creations/pause", new { reason = "Because." }, Cancelled);
        var before = await broken.QueryAsync<long>("SELECT count(*) FROM audit_entries");
        failing.IsArmed = true;

        var response = action switch
        {
            "approve" => await broken.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled),
            "choose" => await broken.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = "someone/else" }, Cancelled),
            "delete" => await broken.Http.DeleteAsync($"/projects/{slug}", Cancelled),
            "requeue" => await broken.Http.PostAsync($"/projects/{slug}/repo-creation", null, Cancelled),
            "pause" => await broken.Http.PostAsJsonAsync("/repo-creations/pause", new { reason = "Because." }, Cancelled),
            _ => await broken.Http.PostAsync("/repo-creations/resume", null, Cancelled),
        };

        await response.ReadProblemAsync(HttpStatusCode.InternalServerError, "INTERNAL");
        Assert.True(failing.EntriesSeenInside > before, "The entry was not saved before the failure, so this shows nothing.");
        Assert.Equal(before, await broken.QueryAsync<long>("SELECT count(*) FROM audit_entries"));
    }

    [Fact]
    public async Task The_approval_its_entry_and_its_event_are_sent_to_the_database_at_once()
    {
        var commands = new Commands();
        await using var watched = await RunningService.StartAsync(_cluster, Settings, services => services.ConfigureDbContext<DataServiceDbContext>(
            context => context.AddInterceptors(commands)));

        await watched.ForbidPlainApprovalsAsync();
        await watched.ApproveAsync(await watched.CreateProjectAsync("Acme"));

        var save = Assert.Single(commands.Texts, text => text.Contains("INSERT INTO audit_entries", StringComparison.Ordinal));
        foreach (var statement in (string[])["UPDATE projects", "INSERT INTO repo_creations", "INSERT INTO creation_events"])
            Assert.Contains(statement, save, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE audit_entries SET actor = 'somebody else'")]
    [InlineData("DELETE FROM audit_entries")]
    [InlineData("TRUNCATE audit_entries")]
    [InlineData("UPDATE creation_events SET text = 'nothing happened'")]
    public async Task The_database_refuses_to_change_what_was_written(string sql)
    {
        await Service.ApproveAsync(await Service.CreateProjectAsync("Acme"));
        Assert.Equal(1L, await Service.QueryAsync<long>("SELECT count(*) FROM audit_entries"));

        var refused = await Assert.ThrowsAsync<PostgresException>(() => Service.QueryAsync<int>(sql));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        Assert.Equal(1L, await Service.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE actor = 'api token'"));
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string address, object? body = null, bool? expected = true)
    {
        using var request = new HttpRequestMessage(method, address) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Add("X-Request-Id", RequestId);
        var response = await Service.Http.SendAsync(request, Cancelled);
        if (expected is not null)
            Assert.True(response.IsSuccessStatusCode, $"{method} {address} answers {response.StatusCode}: {await response.Content.ReadAsStringAsync(Cancelled)}");
        return response;
    }

    /// <summary>Newest first.</summary>
    private async Task<IReadOnlyList<JsonElement>> EntriesAsync(string query = "") =>
        [.. (await (await Service.Http.GetAsync($"/audit{query}", Cancelled)).ReadAsync(HttpStatusCode.OK)).GetProperty("data").EnumerateArray()];

    private Task<IReadOnlyList<JsonElement>> ReachAsync(string query, int count) =>
        Eventually.ReturnsAsync(() => EntriesAsync(query), entries => entries.Count >= count, $"{count} entries of {query}");

    private static void AssertEntry(
        JsonElement entry, string action, string actor, string origin, string? slug, int count, string? reason, string? detail, string? requestId)
    {
        Assert.Equal(
            (action, actor, origin, slug, count, reason, detail, requestId),
            (Text("action"), Text("actor"), Text("origin"), Text("slug"), entry.GetProperty("count").GetInt32(), Text("reason"), Text("detail"), Text("requestId")));

        string? Text(string member) => entry.GetProperty(member).GetString();
    }

    /// <summary>Fails after the save and before the commit.</summary>
    private sealed class FailingCommit : SaveChangesInterceptor
    {
        public bool IsArmed { get; set; }

        public long EntriesSeenInside { get; private set; }

        public override async ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
        {
            if (!IsArmed)
                return result;
            EntriesSeenInside = await eventData.Context!.Database.SqlQueryRaw<long>("SELECT count(*) AS \"Value\" FROM audit_entries").SingleAsync(cancellationToken);
            throw new InvalidOperationException("The process could have died here.");
        }
    }

    private sealed class Commands : DbCommandInterceptor
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _texts = [];

        public IReadOnlyList<string> Texts => [.. _texts];

        public override ValueTask<InterceptionResult<System.Data.Common.DbDataReader>> ReaderExecutingAsync(
            System.Data.Common.DbCommand command, CommandEventData eventData, InterceptionResult<System.Data.Common.DbDataReader> result, CancellationToken cancellationToken = default)
        {
            _texts.Enqueue(command.CommandText);
            return ValueTask.FromResult(result);
        }
    }
}
