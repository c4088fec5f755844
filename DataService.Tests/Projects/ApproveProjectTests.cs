using System.Diagnostics;
using System.Text.Json;
using DataService.Data;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace DataService.Tests.Projects;

public sealed class ApproveProjectTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    [Fact]
    public async Task An_approved_project_gets_a_private_repository_in_the_organisation()
    {
        var slug = await Service.CreateProjectAsync("Acme Shop");

        var approved = await Service.ApproveAsync(slug);

        Assert.Equal("review", approved.GetProperty("status").GetString());
        var project = await Service.CreationReachesAsync(slug, "created");
        Assert.Equal("auditmos-projects/acme-shop", project.GetProperty("githubRepo").GetString());
        var repository = Assert.Single(Service.GitHub.Repositories.All);
        Assert.Equal(("auditmos-projects/acme-shop", true), (repository.FullName, repository.Private));
    }

    [Fact]
    public async Task Approving_again_answers_200_and_adds_no_job_while_one_is_alive()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Hang });
        var slug = await Service.CreateProjectAsync("Twice");
        var first = await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "creating");

        var second = await Service.ApproveAsync(slug);

        Assert.Equal(JobId(first), JobId(second));
        Assert.Equal(1, await JobsAsync());
        Service.GitHub.Faults.Clear();
        await Service.CreationReachesAsync(slug, "created");
        await Service.ApproveAsync(slug);
        Assert.Equal(1, await JobsAsync());
    }

    [Fact]
    public async Task Approving_again_after_a_failure_enqueues_a_new_job()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.NotAdmin, Times = 1 });
        var slug = await Service.CreateProjectAsync("Second try");
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "failed");

        await Service.ApproveAsync(slug);

        var project = await Service.CreationReachesAsync(slug, "created");
        Assert.Equal(2, project.GetProperty("repoCreation").GetProperty("attempts").GetInt32());
    }

    [Fact]
    public async Task Approving_again_after_the_job_was_deleted_enqueues_a_new_one()
    {
        await using var idle = await RunningService.StartAsync(_cluster, replace: NoWorkers);
        var slug = await idle.CreateProjectAsync("Deleted job");
        var first = JobId(await idle.ApproveAsync(slug));
        idle.Services.GetRequiredService<IBackgroundJobClient>().Delete(first);
        Assert.Equal("failed", (await idle.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("state").GetString());

        var second = await idle.ApproveAsync(slug);

        Assert.NotEqual(first, JobId(second));
        Assert.Equal("queued", second.GetProperty("repoCreation").GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_project_with_a_chosen_repository_is_approved_without_a_job_or_a_call_to_GitHub()
    {
        var slug = await Service.CreateProjectAsync("By hand");
        await PutAsync($"/projects/{slug}/github-repo", new { githubRepo = "someone/else" });

        var approved = await Service.ApproveAsync(slug);

        Assert.Equal("review", approved.GetProperty("status").GetString());
        Assert.Equal("someone/else", approved.GetProperty("githubRepo").GetString());
        Assert.Equal("skipped", approved.GetProperty("repoCreation").GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Null, approved.GetProperty("repoCreation").GetProperty("jobId").ValueKind);
        Assert.Equal(0, await JobsAsync());
        Assert.Empty(Service.GitHub.Requests.All);
    }

    [Fact]
    public async Task An_unknown_project_answers_404() =>
        await (await Service.Http.PostAsync("/projects/nobody/approve", null, Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");

    [Theory]
    [InlineData("active")]
    [InlineData("active", "complete")]
    public async Task A_project_that_is_under_way_answers_409(params string[] steps)
    {
        var slug = await Service.CreateProjectAsync("Under way");
        await Service.ApproveAsync(slug);
        foreach (var step in steps)
            await PutAsync($"/projects/{slug}/status", new { status = step });

        var response = await Service.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled);

        await response.ReadProblemAsync(HttpStatusCode.Conflict, "INVALID_STATE");
    }

    [Fact]
    public async Task Thirty_two_approvals_at_once_give_thirty_two_answers_of_200_and_exactly_one_job()
    {
        var slug = await Service.CreateProjectAsync("Rush");

        var responses = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Service.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled)));

        Assert.All(responses, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        await Service.CreationReachesAsync(slug, "created");
        Assert.Equal(1, await JobsAsync());
        Assert.Single(Service.GitHub.Repositories.All);
        Assert.Single(Service.GitHub.Requests.Of("POST", "/orgs/*/repos"));
    }

    [Fact]
    public async Task A_failure_after_the_enqueue_and_before_the_commit_leaves_neither_approval_nor_job()
    {
        var failing = new FailingSave();
        await using var broken = await RunningService.StartAsync(_cluster, replace: services => services.ConfigureDbContext<DataServiceDbContext>(
            context => context.AddInterceptors(failing)));
        await broken.ForbidPlainApprovalsAsync();
        var slug = await broken.CreateProjectAsync("Lost");
        failing.IsArmed = true;

        var response = await broken.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled);

        await response.ReadProblemAsync(HttpStatusCode.InternalServerError, "INTERNAL");
        Assert.True(failing.JobsSeenInside > 0, "The save failed before the job was enqueued, so this shows nothing.");
        var project = await broken.GetProjectAsync(slug);
        Assert.Equal("interviewing", project.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, project.GetProperty("repoCreation").ValueKind);
        Assert.Equal(0L, await broken.QueryAsync<long>("SELECT count(*) FROM hangfire.job"));
        Assert.Equal(0L, await broken.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
        Assert.Equal(0L, await broken.QueryAsync<long>("SELECT count(*) FROM hangfire.state"));
    }

    [Fact]
    public async Task No_worker_sees_the_job_before_the_commit()
    {
        var pausing = new PausingSave();
        await using var paused = await RunningService.StartAsync(_cluster, replace: services => services.ConfigureDbContext<DataServiceDbContext>(
            context => context.AddInterceptors(pausing)));
        await paused.ForbidPlainApprovalsAsync();
        var slug = await paused.CreateProjectAsync("Patience");
        pausing.IsArmed = true;

        var approval = paused.ApproveAsync(slug);
        await pausing.Reached.Task.WaitAsync(Cancelled);

        // The job's row is written and not committed. Other jobs run meanwhile, so the workers have looked at the queue since.
        Assert.Equal(0L, await paused.QueryAsync<long>("SELECT count(*) FROM hangfire.job"));
        var other = paused.Services.GetRequiredService<IBackgroundJobClient>().Enqueue(() => Thread.SpinWait(1));
        await paused.JobReachesAsync(other, "Succeeded");
        Assert.Empty(paused.GitHub.Requests.All);
        Assert.Equal("interviewing", (await paused.GetProjectAsync(slug)).GetProperty("status").GetString());

        pausing.Continue.SetResult();
        await approval;
        await paused.CreationReachesAsync(slug, "created");
    }

    [Fact]
    public async Task The_approval_needs_no_prepared_transaction()
    {
        Assert.Equal("0", await Service.QueryAsync<string>("SELECT current_setting('max_prepared_transactions')"));
        var slug = await Service.CreateProjectAsync("One phase");

        await Service.ApproveAsync(slug);

        await Service.CreationReachesAsync(slug, "created");
    }

    [Fact]
    public async Task Approving_does_not_wait_for_GitHub()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Hang });
        var slugs = new List<string>();
        for (var i = 0; i < 12; i++)
            slugs.Add(await Service.CreateProjectAsync($"Hanging {i}"));

        // With GitHub holding on to a creation, every answer still comes, and long before the deadline of 20 s.
        await Service.ApproveAsync(slugs[0]);
        var held = await Service.GitHub.Requests.WhenReceived(request => request.Method == "POST", Cancelled);
        var clock = Stopwatch.StartNew();
        foreach (var slug in slugs)
            await Service.ApproveAsync(slug);

        Assert.Null(held.Status);
        Assert.Empty(Service.GitHub.Repositories.All);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), "The approvals waited for GitHub.");
    }

    [Fact]
    public async Task The_approval_stands_whatever_GitHub_does_and_the_failure_is_saved_and_logged()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.BadCredentials });
        var slug = await Service.CreateProjectAsync("Resilient");

        var approved = await Service.ApproveAsync(slug);

        Assert.Equal("review", approved.GetProperty("status").GetString());
        var project = await Service.CreationReachesAsync(slug, "failed");
        Assert.Equal("review", project.GetProperty("status").GetString());
        var creation = project.GetProperty("repoCreation");
        Assert.Equal("GITHUB_UNAUTHORIZED", creation.GetProperty("errorCode").GetString());
        Assert.Equal(401, creation.GetProperty("githubStatus").GetInt32());
        Assert.Equal("Bad credentials", creation.GetProperty("githubError").GetString());
        var logged = await Eventually.ReturnsAsync(
            () => Task.FromResult(Service.Logs.Events.Where(e => e.Properties.ContainsKey("GithubError")).ToList()), events => events.Count > 0, "the failure's log line");
        var entry = Assert.Single(logged);
        Assert.Equal($"\"{slug}\"", entry.Properties["Slug"].ToString());
        Assert.Equal("401", entry.Properties["Status"].ToString());
        Assert.Equal("\"Bad credentials\"", entry.Properties["GithubError"].ToString());
    }

    private static string JobId(JsonElement project) => project.GetProperty("repoCreation").GetProperty("jobId").GetString()!;

    private Task<long> JobsAsync() => Service.QueryAsync<long>("SELECT count(*) FROM hangfire.job WHERE invocationdata::text LIKE '%CreateProjectRepoJob%'");

    private async Task PutAsync(string address, object body) =>
        await (await Service.Http.PutAsJsonAsync(address, body, Cancelled)).ReadAsync(HttpStatusCode.OK);

    private static void NoWorkers(IServiceCollection services)
    {
        foreach (var server in services.Where(service => service.ImplementationFactory?.Method.ReturnType == typeof(BackgroundJobServerHostedService)).ToList())
            services.Remove(server);
    }

    /// <summary>Fails the save that comes after the enqueue.</summary>
    private sealed class FailingSave : SaveChangesInterceptor
    {
        public bool IsArmed { get; set; }

        public long JobsSeenInside { get; private set; }

        public override async ValueTask<InterceptionResult<int>> SavingChangesAsync(
            DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            if (!IsArmed)
                return result;
            JobsSeenInside = await eventData.Context!.Database.SqlQueryRaw<long>("SELECT count(*) AS \"Value\" FROM hangfire.job").SingleAsync(cancellationToken);
            throw new InvalidOperationException("The process could have died here.");
        }
    }

    /// <summary>Holds the transaction open between the enqueue and the commit.</summary>
    private sealed class PausingSave : SaveChangesInterceptor
    {
        public bool IsArmed { get; set; }

        public TaskCompletionSource Reached { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Continue { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<InterceptionResult<int>> SavingChangesAsync(
            DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            if (IsArmed)
            {
                IsArmed = false;
                Reached.SetResult();
                await Continue.Task.WaitAsync(cancellationToken);
            }

            return result;
        }
    }
}
