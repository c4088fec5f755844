using System.Text.Json;
using DataService.Jobs;
using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.RepoCreations;

public sealed class EnqueueMissingTests(PostgresCluster cluster)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Approved_projects_without_a_repository_and_a_live_job_get_one_and_end_created()
    {
        await using var service = await RunningService.StartAsync(cluster);
        await service.AddFailedAsync(7);
        await MakeMissingAsync(service);

        var answer = await EnqueueAsync(service, new { });

        AssertCounts(answer, matched: 6, requeued: 6, skipped: 0, remaining: 0);
        foreach (var number in (int[])[1, 2, 3, 4, 5, 6])
            await service.CreationReachesAsync($"failed-{number}", "created");
        Assert.Equal("failed", (await service.GetProjectAsync("failed-7")).GetProperty("repoCreation").GetProperty("state").GetString());
        Assert.Equal(6, service.GitHub.Repositories.All.Count);
        AssertCounts(await EnqueueAsync(service, new { }), matched: 0, requeued: 0, skipped: 0, remaining: 0);
    }

    [Fact]
    public async Task It_goes_batch_by_batch_and_leaves_what_is_alive_or_told_of()
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        await service.AddFailedAsync(7);
        await MakeMissingAsync(service);
        await service.CreateProjectAsync("Not approved");
        await service.ApproveAsync(await service.CreateProjectAsync("Alive"));

        AssertCounts(await EnqueueAsync(service, new { dryRun = true }), matched: 6, requeued: 0, skipped: 0, remaining: 6);
        AssertCounts(await EnqueueAsync(service, new { limit = 4 }), matched: 6, requeued: 4, skipped: 0, remaining: 2);
        AssertCounts(await EnqueueAsync(service, new { limit = 4 }), matched: 2, requeued: 2, skipped: 0, remaining: 0);

        Assert.Equal(7L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue q JOIN repo_creations c ON c.job_id = q.jobid::text WHERE c.state = 'queued'"));
        Assert.Equal(7L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
    }

    [Theory]
    [InlineData("set-based")]
    [InlineData("public-api")]
    public async Task A_choice_that_was_taken_back_while_a_retry_was_due_later_does_not_wait_for_it(string engine)
    {
        await using var service = await RunningService.StartAsync(cluster, new() { ["Jobs:FirstRetryDelay"] = "01:00:00" });
        service.Break(new FaultRule { Kind = FaultKind.BadGateway });
        var slug = await service.CreateProjectAsync("Back and forth");
        await service.ApproveAsync(slug);
        var retrying = await service.CreationReachesAsync(slug, "retrying");
        await service.JobReachesAsync(retrying.GetProperty("repoCreation").GetProperty("jobId").GetString()!, "Scheduled");
        service.GitHub.Faults.Clear();
        foreach (var chosen in (string?[])["somebody/else", null])
            await (await service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = chosen }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        Assert.Equal("skipped", (await service.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("state").GetString());

        if (engine is "public-api")
            await service.QueryAsync<object>("UPDATE hangfire.schema SET version = 24");

        var answer = await EnqueueAsync(service, new { });

        AssertCounts(answer, matched: 1, requeued: 1, skipped: 0, remaining: 0);
        Assert.Equal(engine, answer.GetProperty("engine").GetString());
        await service.QueryAsync<object>($"UPDATE hangfire.schema SET version = {HangfireTables.KnownVersion}");
        await service.CreationReachesAsync(slug, "created");
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.set WHERE key = 'schedule'"));
    }

    [Fact]
    public async Task Many_at_once_with_a_requeue_and_approvals_beside_them_enqueue_nothing_twice()
    {
        const int Count = 300;
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        var slugs = await service.AddFailedAsync(Count);
        // A third never had a creation, and a third has lost its job.
        await service.QueryAsync<object>("UPDATE repo_creations SET error_code = NULL");
        await service.QueryAsync<object>("DELETE FROM hangfire.job WHERE id % 3 < 2");
        await service.QueryAsync<object>("DELETE FROM repo_creations WHERE job_id::bigint % 3 = 0");

        var missing = Enumerable.Range(0, 2).Select(async _ =>
        {
            while ((await EnqueueAsync(service, new { limit = 20 })).GetProperty("remaining").GetInt32() > 0)
            {
            }
        });
        var requeue = Task.Run(async () =>
        {
            while ((await (await service.Http.PostAsJsonAsync("/repo-creations/requeue", new { limit = 20 }, Cancelled)).ReadAsync(HttpStatusCode.OK)).GetProperty("remaining").GetInt32() > 0)
            {
            }
        }, Cancelled);
        var approvals = Parallel.ForEachAsync(slugs.Reverse(), new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Cancelled }, async (slug, _) => await service.ApproveAsync(slug));
        await Task.WhenAll([.. missing, requeue, approvals]);

        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM repo_creations WHERE state = 'queued'"));
        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.job WHERE statename = 'Enqueued'"));
        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue q JOIN repo_creations c ON c.job_id = q.jobid::text"));
    }

    [Fact]
    public async Task Another_schema_than_the_known_one_is_left_to_Hangfires_own_client()
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        await service.AddFailedAsync(7);
        await MakeMissingAsync(service);
        await service.QueryAsync<object>("UPDATE hangfire.schema SET version = 24");

        AssertCounts(await EnqueueAsync(service, new { dryRun = true }), matched: 6, requeued: 0, skipped: 0, remaining: 6);
        var answer = await EnqueueAsync(service, new { limit = 5 });
        AssertCounts(answer, matched: 6, requeued: 5, skipped: 0, remaining: 1);
        AssertCounts(await EnqueueAsync(service, new { }), matched: 1, requeued: 1, skipped: 0, remaining: 0);

        Assert.Equal("public-api", answer.GetProperty("engine").GetString());
        Assert.Equal(6L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue q JOIN repo_creations c ON c.job_id = q.jobid::text WHERE c.state = 'queued'"));
        var report = await (await service.Http.PostAsJsonAsync("/repo-creations/reconcile", new { dryRun = true }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        Assert.Equal(0, report.GetProperty("found").GetInt32());
    }

    [Theory]
    [InlineData("""{ "limit": 0 }""", "limit")]
    [InlineData("""{ "limit": 5001 }""", "limit")]
    [InlineData("""{ "reason": "\u0007" }""", "reason")]
    [InlineData("""{ "dry_run": true }""", "dry_run")]
    public async Task What_does_not_fit_is_refused_by_its_name(string body, string field)
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);

        await (await service.Http.PostAsync("/repo-creations/enqueue-missing", Bodies.Json(body), Cancelled)).ReadInvalidAsync(field);
    }

    /// <summary>Of seven that have failed: no creation, deleted in the dashboard, a lost job, a dead job, skipped, created; and a failure that a person has been told of.</summary>
    private static async Task MakeMissingAsync(RunningService service)
    {
        await service.QueryAsync<object>("DELETE FROM repo_creations WHERE project_id = (SELECT id FROM projects WHERE slug = 'failed-1')");
        await ChangeAsync("state = 'failed', error_code = NULL", 2);
        await ChangeAsync("state = 'queued', error_code = NULL, job_id = '999999'", 3);
        await ChangeAsync("state = 'creating', error_code = NULL", 4);
        await ChangeAsync("state = 'skipped', error_code = NULL, job_id = NULL", 5);
        await ChangeAsync("state = 'created', error_code = NULL", 6);

        Task<object?> ChangeAsync(string change, int number) => service.QueryAsync<object>(
            $"UPDATE repo_creations SET {change} WHERE project_id = (SELECT id FROM projects WHERE slug = 'failed-{number}')");
    }

    private static async Task<JsonElement> EnqueueAsync(RunningService service, object request) =>
        await (await service.Http.PostAsJsonAsync("/repo-creations/enqueue-missing", request, Cancelled)).ReadAsync(HttpStatusCode.OK);

    private static void AssertCounts(JsonElement answer, int matched, int requeued, int skipped, int remaining) => Assert.Equal(
        (matched, requeued, skipped, remaining),
        (answer.GetProperty("matched").GetInt32(), answer.GetProperty("requeued").GetInt32(), answer.GetProperty("skipped").GetInt32(), answer.GetProperty("remaining").GetInt32()));
}
