using DataService.Projects;
using DataService.Tests.Support;

namespace DataService.Tests.Projects;

/// <summary>Approvals that come while the database is at others share one statement.</summary>
public sealed class ApprovalGroupsTests(PostgresCluster cluster)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Those_that_come_together_share_a_transaction_and_each_has_its_own_answer_rows_and_trace()
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        await AddProjectsAsync(service, 14);

        var answers = await ApproveTogetherAsync(service, [.. Enumerable.Range(1, 14).Select(i => $"p-{i}")]);

        foreach (var (slug, answer) in answers)
        {
            var project = await answer.ReadAsync(HttpStatusCode.OK);
            Assert.Equal(slug, project.GetProperty("slug").GetString());
            Assert.Equal($"The {slug}", project.GetProperty("name").GetString());
            var job = project.GetProperty("repoCreation").GetProperty("jobId").GetString();
            Assert.Equal(
                $"{job} {slug} queued request-{slug} {Trace(slug)}",
                await service.QueryAsync<string>(
                    $"""
                     SELECT concat_ws(' ', j.id, a.slug, c.state, a.request_id, split_part(s.data ->> 'TraceParent', '-', 2))
                     FROM projects p JOIN repo_creations c ON c.project_id = p.id JOIN hangfire.job j ON j.id::text = c.job_id
                     JOIN hangfire.state s ON s.id = j.stateid JOIN hangfire.jobqueue q ON q.jobid = j.id JOIN audit_entries a ON a.project_id = p.id
                     JOIN creation_events e ON e.project_id = p.id AND e.job_id = c.job_id
                     WHERE p.slug = '{slug}' AND j.arguments ->> 0 = '"' || p.id || '"' AND p.approved_at = a.at AND c.updated_at = a.at AND p.status = 'review'
                     """));
        }

        // Two went at once; the others waited for them.
        Assert.Equal(3L, await service.QueryAsync<long>("SELECT count(DISTINCT xmin::text) FROM audit_entries"));
        Assert.Equal(12L, await service.QueryAsync<long>("SELECT max(members) FROM (SELECT count(*) AS members FROM audit_entries GROUP BY xmin::text) groups"));
    }

    [Fact]
    public async Task What_one_of_them_meets_is_not_the_others_to_bear()
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        await AddProjectsAsync(service, 9);
        await service.QueryAsync<object>(
            """
            UPDATE projects SET github_repo = 'someone/else' WHERE slug = 'p-4';
            UPDATE projects SET status = 'active' WHERE slug = 'p-5';
            INSERT INTO repo_creations (project_id, state, attempts, retries, run, updated_at) SELECT id, 'failed', 1, 0, 1, now() FROM projects WHERE slug = 'p-6'
            """);

        var answers = await ApproveTogetherAsync(service, ["p-1", "p-2", "p-3", "p-4", "p-5", "p-6", "p-7", "p-7", "nobody", new string('x', 5_000), "p-8", "p-9"]);

        Assert.Equal(
            ["p-1 200", "p-2 200", "p-3 200", "p-4 200", "p-5 409", "p-6 200", "p-7 200", "p-7 200", "nobody 404", $"{new string('x', 5_000)} 404", "p-8 200", "p-9 200"],
            answers.Select(answer => $"{answer.Slug} {(int)answer.Response.StatusCode}"));
        // The creation that was there has violated its key, and undone the statement.
        Assert.Contains(service.Logs.Events, e => e.RenderMessage(null).Contains("in one statement failed", StringComparison.Ordinal));
        Assert.Equal(7L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
        Assert.Equal(7L, await service.QueryAsync<long>("SELECT count(*) FROM repo_creations c JOIN hangfire.job j ON j.id::text = c.job_id WHERE c.state = 'queued'"));
        Assert.Equal(9L, await service.QueryAsync<long>("SELECT count(*) FROM audit_entries WHERE action = 'approve'"));
    }

    [Fact]
    public async Task One_whose_project_is_locked_waits_alone()
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        await AddProjectsAsync(service, 6);
        await using var rows = await RowLock.TakeAsync(service.ConnectionString, "p-4");
        await using var gate = await CommitGate.CloseAsync(service.ConnectionString);
        var answers = await AskAsync(service, gate, ["p-1", "p-2", "p-3", "p-4", "p-5", "p-6"]);

        await gate.DisposeAsync();

        await Task.WhenAll(answers.Where((_, i) => i is not 3));
        await rows.IsWaitedForAsync();
        Assert.False(answers[3].IsCompleted);
        await rows.DisposeAsync();
        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Equal(6L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
    }

    private static async Task<(string Slug, HttpResponseMessage Response)[]> ApproveTogetherAsync(RunningService service, string[] slugs)
    {
        await using var gate = await CommitGate.CloseAsync(service.ConnectionString);
        var answers = await AskAsync(service, gate, slugs);
        await gate.DisposeAsync();
        return [.. slugs.Zip(await Task.WhenAll(answers))];
    }

    /// <summary>Returns when the first two are held before their commit, and all others wait for them.</summary>
    private static async Task<Task<HttpResponseMessage>[]> AskAsync(RunningService service, CommitGate gate, string[] slugs)
    {
        var groups = service.Services.GetRequiredService<PlainApproval>();
        var answers = new List<Task<HttpResponseMessage>>();
        foreach (var slug in slugs)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, $"/projects/{slug}/approve")
            {
                Headers = { { "X-Request-Id", $"request-{slug}"[..Math.Min(60, slug.Length + 8)] }, { "traceparent", $"00-{Trace(slug)}-00000000000000ab-01" } },
            };
            answers.Add(service.Http.SendAsync(request, Cancelled));
            // One by one, so that it is known who is where.
            if (answers.Count <= 2)
                await gate.HoldsAsync(answers.Count);
            else
                await Eventually.ReturnsAsync(() => Task.FromResult(groups.Waiting), waiting => waiting == answers.Count - 2, $"{slug} to wait for a group");
        }

        return [.. answers];
    }

    private static Task<object?> AddProjectsAsync(RunningService service, int count) => service.QueryAsync<object>(
        $"""
         INSERT INTO projects (id, name, slug, status, created_at)
         SELECT gen_random_uuid(), 'The p-' || i, 'p-' || i, 'interviewing', now() FROM generate_series(1, {count}) i
         """);

    private static string Trace(string slug) => Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(slug.PadRight(16)))[..32];
}
