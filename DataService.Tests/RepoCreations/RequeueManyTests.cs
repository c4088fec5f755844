using System.Text.Json;
using DataService.Jobs.Requeue;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire;
using Hangfire.States;

namespace DataService.Tests.RepoCreations;

public sealed class RequeueManyTests(PostgresCluster cluster)
{
    private const string Repositories = "/orgs/*/repos";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Failed_creations_are_run_again_and_end_created()
    {
        await using var service = await RunningService.StartAsync(cluster);
        var slugs = await service.AddFailedAsync(20);

        var answer = await RequeueAsync(service, new { reason = "The token was renewed." });

        Assert.Equal(
            ["matched", "requeued", "skipped", "remaining", "skippedReasons", "until", "engine"], answer.EnumerateObject().Select(member => member.Name));
        AssertCounts(answer, matched: 20, requeued: 20, skipped: 0, remaining: 0);
        Assert.Equal("set-based", answer.GetProperty("engine").GetString());
        foreach (var slug in slugs)
        {
            var project = await service.CreationReachesAsync(slug, "created");
            Assert.Equal($"auditmos-projects/{slug}", project.GetProperty("githubRepo").GetString());
            Assert.Equal(2, project.GetProperty("repoCreation").GetProperty("attempts").GetInt32());
        }

        Assert.Equal(20, service.GitHub.Repositories.All.Count);
        Assert.Equal(20L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.state WHERE name = 'Enqueued' AND reason = 'The token was renewed.'"));
    }

    [Fact]
    public async Task A_requeued_creation_shows_as_one_that_was_enqueued()
    {
        await using var service = await StartIdleAsync();
        var slug = Assert.Single(await service.AddFailedAsync(1));
        var failed = (await service.GetProjectAsync(slug)).GetProperty("repoCreation");

        await RequeueAsync(service, new { });

        var queued = (await service.GetProjectAsync(slug)).GetProperty("repoCreation");
        Assert.Equal("queued", queued.GetProperty("state").GetString());
        Assert.Equal(failed.GetProperty("jobId").GetString(), queued.GetProperty("jobId").GetString());
        Assert.Equal(1, queued.GetProperty("attempts").GetInt32());
        foreach (var member in (string[])["errorCode", "githubStatus", "githubError", "nextAttemptAt", "waitsFor"])
            Assert.Equal(JsonValueKind.Null, queued.GetProperty(member).ValueKind);
        Assert.True(queued.GetProperty("updatedAt").GetDateTime() > failed.GetProperty("updatedAt").GetDateTime());
    }

    [Fact]
    public async Task A_run_goes_on_batch_by_batch_oldest_first_until_nothing_remains()
    {
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(5);

        var first = await RequeueAsync(service, new { limit = 2 });
        AssertCounts(first, matched: 5, requeued: 2, skipped: 0, remaining: 3);
        Assert.Equal(["failed-1", "failed-2"], await service.QueryAsync<string[]>("SELECT array_agg(slug::text ORDER BY slug) FROM projects JOIN repo_creations ON project_id = id WHERE state = 'queued'") ?? []);
        var until = first.GetProperty("until").GetString();
        AssertCounts(await RequeueAsync(service, new { limit = 2, until }), matched: 3, requeued: 2, skipped: 0, remaining: 1);
        AssertCounts(await RequeueAsync(service, new { limit = 2, until }), matched: 1, requeued: 1, skipped: 0, remaining: 0);
        AssertCounts(await RequeueAsync(service, new { limit = 2, until }), matched: 0, requeued: 0, skipped: 0, remaining: 0);
        Assert.Equal(5L, await service.QueryAsync<long>("SELECT count(DISTINCT jobid) FROM hangfire.jobqueue"));
    }

    [Fact]
    public async Task What_fails_again_at_once_does_not_match_the_same_run_again()
    {
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(2);
        var until = (await RequeueAsync(service, new { limit = 1 })).GetProperty("until").GetString();
        await service.QueryAsync<object>("UPDATE repo_creations SET state = 'failed', error_code = 'INTERNAL' WHERE state = 'queued'");

        AssertCounts(await RequeueAsync(service, new { until }), matched: 1, requeued: 1, skipped: 0, remaining: 0);
        AssertCounts(await RequeueAsync(service, new { until }), matched: 0, requeued: 0, skipped: 0, remaining: 0);
    }

    [Fact]
    public async Task Only_what_the_filter_names_is_requeued()
    {
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(3, "GITHUB_FORBIDDEN", "forbidden");
        await service.AddFailedAsync(3, "GITHUB_UNAUTHORIZED", "unauthorized");
        await service.QueryAsync<object>("UPDATE repo_creations SET updated_at = now() - interval '10 days' WHERE project_id = (SELECT id FROM projects WHERE slug = 'forbidden-1')");
        await service.QueryAsync<object>("UPDATE repo_creations SET error_code = NULL, github_error = 'The job was deleted.' WHERE project_id = (SELECT id FROM projects WHERE slug = 'forbidden-3')");

        Assert.Equal(2, await MatchedAsync(service, new { codes = (string[])["github_forbidden"], dryRun = true }));
        Assert.Equal(1, await MatchedAsync(service, new { codes = (string[])["GITHUB_FORBIDDEN"], since = "9d", dryRun = true }));
        Assert.Equal(1, await MatchedAsync(service, new { codes = (string[])["GITHUB_FORBIDDEN"], until = "9d", dryRun = true }));
        Assert.Equal(1, await MatchedAsync(service, new { codes = (string[])["NONE"], dryRun = true }));
        Assert.Equal(4, await MatchedAsync(service, new { codes = (string[])["NONE,GITHUB_UNAUTHORIZED"], dryRun = true }));
        Assert.Equal(2, await MatchedAsync(service, new { slugs = (string[])["forbidden-1", "unauthorized-2", "nobody"], dryRun = true }));
        Assert.Equal(3, await MatchedAsync(service, new { q = "UNAUTH", dryRun = true }));
        Assert.Equal(1, await MatchedAsync(service, new { q = "was deleted", dryRun = true }));
        Assert.Equal(0, await MatchedAsync(service, new { q = "100%", dryRun = true }));
        Assert.Equal(6, await MatchedAsync(service, new { dryRun = true }));

        AssertCounts(await RequeueAsync(service, new { codes = (string[])["GITHUB_FORBIDDEN"], slugs = (string[])["forbidden-2"] }), matched: 1, requeued: 1, skipped: 0, remaining: 0);
        Assert.Equal("queued", (await service.GetProjectAsync("forbidden-2")).GetProperty("repoCreation").GetProperty("state").GetString());
        Assert.Equal(1L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
    }

    [Fact]
    public async Task A_dry_run_counts_by_reason_and_changes_nothing()
    {
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(5);
        await ChangeAsync(service, "projects", "approved_at = NULL", "failed-1");
        await ChangeAsync(service, "projects", "github_repo = 'someone/else'", "failed-2");
        await ProcessAsync(service, "failed-3");
        var before = await ContentAsync(service);

        var answer = await RequeueAsync(service, new { dryRun = true, limit = 1 });
        var missing = await (await service.Http.PostAsJsonAsync("/repo-creations/enqueue-missing", new { dryRun = true }, Cancelled)).ReadAsync(HttpStatusCode.OK);

        AssertCounts(answer, matched: 5, requeued: 0, skipped: 3, remaining: 2);
        AssertReasons(answer, (SkipReason.NotApproved, 1), (SkipReason.HasRepository, 1), (SkipReason.JobIsAtIt, 1));
        AssertCounts(missing, matched: 0, requeued: 0, skipped: 0, remaining: 0);
        Assert.Equal(before, await ContentAsync(service));
    }

    [Fact]
    public async Task What_cannot_be_requeued_is_skipped_with_its_reason_and_does_not_remain()
    {
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(8);
        await ChangeAsync(service, "projects", "github_repo = 'someone/else'", "failed-1");
        await ChangeAsync(service, "projects", "approved_at = NULL", "failed-2");
        await ProcessAsync(service, "failed-3");
        await ChangeAsync(service, "repo_creations", "state = 'created', error_code = NULL", "failed-4");
        await ChangeAsync(service, "repo_creations", "state = 'skipped', error_code = NULL", "failed-5");
        await ChangeAsync(service, "repo_creations", "state = 'queued', error_code = NULL", "failed-6");
        await service.QueryAsync<object>(
            "INSERT INTO hangfire.lock (resource, acquired) SELECT 'hangfire:job:' || job_id || ':state-lock', now() FROM repo_creations JOIN projects ON id = project_id WHERE slug = 'failed-7'");

        string? until = null;
        foreach (var limit in (int[])[1, 500])
        {
            var answer = await RequeueAsync(service, new { states = (string[])["failed", "retrying", "queued", "creating", "created", "skipped"], limit, until });
            until = answer.GetProperty("until").GetString();

            AssertCounts(answer, matched: limit is 1 ? 8 : 7, requeued: limit is 1 ? 1 : 0, skipped: 7, remaining: 0);
            AssertReasons(
                answer, (SkipReason.HasRepository, 1), (SkipReason.NotApproved, 1), (SkipReason.JobIsAtIt, 2), (SkipReason.IsCreated, 1), (SkipReason.IsSettled, 1),
                (SkipReason.BeingChanged, 1));
        }

        Assert.Equal("queued", (await service.GetProjectAsync("failed-8")).GetProperty("repoCreation").GetProperty("state").GetString());
    }

    [Fact]
    public async Task The_lock_of_a_dead_instance_is_taken_over()
    {
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(1);
        await service.QueryAsync<object>("INSERT INTO hangfire.lock (resource, acquired) SELECT 'hangfire:job:' || job_id || ':state-lock', now() - interval '11 s' FROM repo_creations");

        AssertCounts(await RequeueAsync(service, new { }), matched: 1, requeued: 1, skipped: 0, remaining: 0);

        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.lock"));
    }

    [Fact]
    public async Task A_creation_that_another_request_holds_is_not_waited_for()
    {
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(3);
        await using var other = new Npgsql.NpgsqlConnection(service.ConnectionString);
        await other.OpenAsync(Cancelled);
        await using var transaction = await other.BeginTransactionAsync(Cancelled);
        await using (var hold = new Npgsql.NpgsqlCommand("SELECT FROM repo_creations c JOIN projects p ON p.id = project_id WHERE slug = 'failed-2' FOR UPDATE OF c", other))
            await hold.ExecuteNonQueryAsync(Cancelled);

        var answer = await RequeueAsync(service, new { });

        AssertCounts(answer, matched: 3, requeued: 2, skipped: 1, remaining: 0);
        Assert.Equal(1, answer.GetProperty("skippedReasons").GetProperty(SkipReason.BeingChanged).GetInt32());
        await transaction.RollbackAsync(Cancelled);
        AssertCounts(await RequeueAsync(service, new { }), matched: 1, requeued: 1, skipped: 0, remaining: 0);
    }

    [Fact]
    public async Task A_scheduled_retry_is_brought_forward_when_it_is_asked_for()
    {
        await using var service = await RunningService.StartAsync(cluster, new() { ["Jobs:FirstRetryDelay"] = "01:00:00" });
        service.Break(new FaultRule { Kind = FaultKind.BadGateway, Times = 1 });
        var slug = await service.CreateProjectAsync("Acme");
        await service.ApproveAsync(slug);
        var jobId = (await service.CreationReachesAsync(slug, "retrying")).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        await service.JobReachesAsync(jobId, "Scheduled");
        AssertCounts(await RequeueAsync(service, new { }), matched: 0, requeued: 0, skipped: 0, remaining: 0);

        AssertCounts(await RequeueAsync(service, new { states = (string[])["retrying"] }), matched: 1, requeued: 1, skipped: 0, remaining: 0);

        var created = await service.CreationReachesAsync(slug, "created");
        Assert.Equal(jobId, created.GetProperty("repoCreation").GetProperty("jobId").GetString());
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.set WHERE key = 'schedule'"));
    }

    [Fact]
    public async Task A_creation_whose_job_is_gone_gets_a_new_one_that_runs()
    {
        await using var service = await RunningService.StartAsync(cluster);
        var slug = Assert.Single(await service.AddFailedAsync(1));
        var old = (await service.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("jobId").GetString();
        await service.QueryAsync<object>("DELETE FROM hangfire.job");

        AssertCounts(await RequeueAsync(service, new { }), matched: 1, requeued: 1, skipped: 0, remaining: 0);

        var created = (await service.CreationReachesAsync(slug, "created")).GetProperty("repoCreation");
        Assert.NotEqual(old, created.GetProperty("jobId").GetString());
    }

    [Fact]
    public async Task Two_operators_at_once_enqueue_nothing_twice()
    {
        const int Count = 1_000;
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(Count);
        // Half of them have lost their jobs.
        await service.QueryAsync<object>("DELETE FROM hangfire.job WHERE id % 2 = 0");

        var requeued = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            var (sum, until, remaining) = (0, (string?)null, 1);
            while (remaining > 0)
            {
                var answer = await RequeueAsync(service, new { limit = 70, until });
                Assert.Equal(
                    answer.GetProperty("matched").GetInt32(),
                    answer.GetProperty("requeued").GetInt32() + answer.GetProperty("skipped").GetInt32() + answer.GetProperty("remaining").GetInt32());
                sum += answer.GetProperty("requeued").GetInt32();
                (until, remaining) = (answer.GetProperty("until").GetString(), answer.GetProperty("remaining").GetInt32());
            }

            return sum;
        }));

        Assert.Equal(Count, requeued.Sum());
        Assert.True(requeued.Count(sum => sum > 0) > 1, "Only one of them did it all: nothing was at once.");
        await AssertEnqueuedOnceAsync(service, Count);
    }

    [Fact]
    public async Task A_large_batch_is_written_in_two_transactions_each_with_its_entry_in_the_audit()
    {
        const int Count = 1_200;
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(Count);
        var before = await service.QueryAsync<long>("SELECT pg_current_xact_id()::text::bigint");

        AssertCounts(await RequeueAsync(service, new { limit = 5_000 }), matched: Count, requeued: Count, skipped: 0, remaining: 0);

        await AssertEnqueuedOnceAsync(service, Count);
        foreach (var table in (string[])["repo_creations", "creation_events WHERE kind = 'enqueued'", "hangfire.jobqueue", "hangfire.state WHERE name = 'Enqueued'", "audit_entries"])
            Assert.Equal(2L, await service.QueryAsync<long>($"SELECT count(DISTINCT xmin::text) FROM {table}"));
        Assert.True(await service.QueryAsync<long>("SELECT min(xmin::text::bigint) FROM repo_creations") >= before);
        Assert.Equal("600 600", await service.QueryAsync<string>("SELECT string_agg(count::text, ' ') FROM audit_entries WHERE action = 'requeue_bulk'"));
        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM creation_events WHERE kind = 'enqueued'"));
    }

    [Fact]
    public async Task A_part_that_fails_leaves_the_other_one_whole_and_the_next_call_goes_on()
    {
        const int Count = 1_200;
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(Count);
        // The second part trips over one row.
        await service.QueryAsync<object>(
            """
            CREATE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'tripped'; END $$;
            DO $do$ BEGIN EXECUTE format(
                'CREATE TRIGGER trip BEFORE UPDATE ON repo_creations FOR EACH ROW WHEN (NEW.project_id = %L AND NEW.state = ''queued'') EXECUTE FUNCTION trip()',
                (SELECT id FROM projects WHERE slug = 'failed-1000')); END $do$;
            """);

        await (await service.Http.PostAsJsonAsync("/repo-creations/requeue", new { limit = 5_000 }, Cancelled)).ReadProblemAsync(HttpStatusCode.InternalServerError, "INTERNAL");

        await AssertEnqueuedOnceAsync(service, 600);
        Assert.Equal(600L, await service.QueryAsync<long>("SELECT sum(count)::bigint FROM audit_entries WHERE action = 'requeue_bulk'"));
        await service.QueryAsync<object>("DROP TRIGGER trip ON repo_creations");
        AssertCounts(await RequeueAsync(service, new { limit = 5_000 }), matched: 600, requeued: 600, skipped: 0, remaining: 0);
        await AssertEnqueuedOnceAsync(service, Count);
    }

    [Fact]
    public async Task Two_operators_with_large_batches_approvals_and_retries_by_hand_beside_them_enqueue_nothing_twice()
    {
        const int Count = 3_000;
        await using var service = await StartIdleAsync();
        var slugs = await service.AddFailedAsync(Count);
        await service.QueryAsync<object>("DELETE FROM hangfire.job WHERE id % 3 = 0");
        var jobs = service.Services.GetRequiredService<IBackgroundJobClient>();

        var byHand = Task.Run(async () =>
        {
            foreach (var slug in slugs.Where((_, i) => i % 60 is 0))
                jobs.ChangeState((await service.GetProjectAsync(slug)).GetProperty("repoCreation").GetProperty("jobId").GetString()!, new EnqueuedState(), FailedState.StateName);
        }, Cancelled);
        var approvals = Parallel.ForEachAsync(
            slugs.Reverse().Where((_, i) => i % 60 is 1), new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Cancelled }, async (slug, _) => await service.ApproveAsync(slug));
        var operators = Enumerable.Range(0, 2).Select(async _ =>
        {
            while ((await RequeueAsync(service, new { limit = 1_000 })).GetProperty("remaining").GetInt32() > 0)
            {
            }
        });

        await Task.WhenAll([byHand, approvals, .. operators]);
        // What was in somebody else's hands was skipped.
        await RequeueAsync(service, new { limit = 5_000 });
        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM repo_creations WHERE state = 'queued'"));
        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue q JOIN repo_creations c ON c.job_id = q.jobid::text"));
        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.lock"));
    }

    [Fact]
    public async Task A_bulk_requeue_and_a_requeue_of_each_one_at_once_enqueue_nothing_twice()
    {
        const int Count = 100;
        await using var service = await StartIdleAsync();
        var slugs = await service.AddFailedAsync(Count);
        await service.QueryAsync<object>("DELETE FROM hangfire.job WHERE id % 2 = 0");

        var oneByOne = Parallel.ForEachAsync(slugs.Reverse(), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancelled }, async (slug, token) =>
            await (await service.Http.PostAsync($"/projects/{slug}/repo-creation", null, token)).ReadAsync(HttpStatusCode.Accepted));
        while ((await RequeueAsync(service, new { limit = 10 })).GetProperty("remaining").GetInt32() > 0)
        {
        }

        await oneByOne;
        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM repo_creations WHERE state = 'queued'"));
        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.job WHERE statename = 'Enqueued'"));
        Assert.Equal((long)Count, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue q JOIN repo_creations c ON c.job_id = q.jobid::text"));
    }

    [Fact]
    public async Task Jobs_that_change_underneath_are_run_once_and_every_project_ends_well()
    {
        const int Count = 120;
        await using var service = await RunningService.StartAsync(cluster);
        var slugs = await service.AddFailedAsync(Count);
        var jobs = service.Services.GetRequiredService<IBackgroundJobClient>();

        var people = Parallel.ForEachAsync(slugs.Index().Where(slug => slug.Index % 3 == 0), new ParallelOptions { MaxDegreeOfParallelism = 3, CancellationToken = Cancelled }, async (slug, token) =>
        {
            switch (slug.Index / 3 % 3)
            {
                case 0:
                    await (await service.Http.PutAsJsonAsync($"/projects/{slug.Item}/github-repo", new { githubRepo = $"someone/{slug.Item}" }, token)).ReadAsync(HttpStatusCode.OK);
                    break;
                case 1:
                    Assert.Equal(HttpStatusCode.NoContent, (await service.Http.DeleteAsync($"/projects/{slug.Item}", token)).StatusCode);
                    break;
                default:
                    // As the dashboard does it.
                    jobs.ChangeState((await service.GetProjectAsync(slug.Item)).GetProperty("repoCreation").GetProperty("jobId").GetString()!, new EnqueuedState(), FailedState.StateName);
                    break;
            }
        });
        while ((await RequeueAsync(service, new { limit = 15 })).GetProperty("remaining").GetInt32() > 0)
        {
        }

        await people;
        await RequeueAsync(service, new { });
        await Eventually.ReturnsAsync(
            () => service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"), left => left is 0, "the queue to be empty");
        await Eventually.ReturnsAsync(
            () => service.QueryAsync<string>("SELECT string_agg(state || ' ' || coalesce(github_error, ''), ', ') FROM repo_creations WHERE state NOT IN ('created', 'skipped')"),
            unsettled => unsettled is null, "all creations to be settled");
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM projects WHERE github_repo IS NULL"));
        Assert.Equal(1L, await service.QueryAsync<long>("SELECT max(times) FROM (SELECT count(*) AS times FROM hangfire.state WHERE name = 'Enqueued' GROUP BY jobid) t"));
        Assert.Equal(service.GitHub.Repositories.All.Count, service.GitHub.Requests.Of("POST", Repositories).Count);
    }

    [Fact]
    public async Task Another_schema_than_the_known_one_is_left_to_Hangfires_own_client()
    {
        var database = await cluster.CreateDatabaseAsync();
        await PostgresCluster.QueryAsync<object>(database, "UPDATE hangfire.schema SET version = 24");
        await using var service = await RunningService.StartAsync(cluster, new() { ["ConnectionStrings:DataService"] = database }, StoredCreations.WithoutWorkers);
        Assert.Contains(service.Logs.Events, e => e.RenderMessage(null).Contains("Hangfire's schema has version 24", StringComparison.Ordinal));
        await AddFailedAsync(database, 5);

        var dry = await RequeueAsync(service, new { dryRun = true });
        AssertCounts(dry, matched: 5, requeued: 0, skipped: 1, remaining: 4);
        var first = await RequeueAsync(service, new { limit = 3 });
        AssertCounts(first, matched: 5, requeued: 3, skipped: 1, remaining: 1);
        var second = await RequeueAsync(service, new { until = first.GetProperty("until").GetString() });
        AssertCounts(second, matched: 2, requeued: 1, skipped: 1, remaining: 0);

        Assert.All((JsonElement[])[dry, first, second], answer => Assert.Equal("public-api", answer.GetProperty("engine").GetString()));
        Assert.Equal(4L, await PostgresCluster.QueryAsync<long>(database, "SELECT count(*) FROM hangfire.jobqueue q JOIN repo_creations c ON c.job_id = q.jobid::text WHERE c.state = 'queued'"));
        Assert.Equal(4L, await PostgresCluster.QueryAsync<long>(database, "SELECT count(*) FROM hangfire.jobqueue"));
    }

    [Theory]
    [InlineData("""{ "states": ["failed", "broken"] }""", "states")]
    [InlineData("""{ "states": [null] }""", "states")]
    [InlineData("""{ "codes": ["GITHUB_TEAPOT"] }""", "codes")]
    [InlineData("""{ "slugs": [] }""", "slugs")]
    [InlineData("""{ "slugs": [null] }""", "slugs")]
    [InlineData("""{ "slugs": ["a\u0000b"] }""", "slugs")]
    [InlineData("""{ "since": "yesterday" }""", "since")]
    [InlineData("""{ "since": "2026-01-05T09:30:00" }""", "since")]
    [InlineData("""{ "until": "2h ago" }""", "until")]
    [InlineData("""{ "q": "ab" }""", "q")]
    [InlineData("""{ "q": "a\u0000bc" }""", "q")]
    [InlineData("""{ "reason": "\u0007" }""", "reason")]
    [InlineData("""{ "limit": 0 }""", "limit")]
    [InlineData("""{ "limit": 5001 }""", "limit")]
    [InlineData("""{ "dryRun": "yes" }""", "dryRun")]
    public async Task What_does_not_fit_is_refused_by_its_name(string body, string field)
    {
        await using var service = await StartIdleAsync();

        await (await service.Http.PostAsync("/repo-creations/requeue", Bodies.Json(body), Cancelled)).ReadInvalidAsync(field);
    }

    [Fact]
    public async Task A_filter_that_is_empty_or_misspelt_is_refused_and_requeues_nothing()
    {
        await using var service = await StartIdleAsync();
        await service.AddFailedAsync(2);
        foreach (var (body, field) in ((string, string)[])
            [
                ("""{ "states": [] }""", "states"),
                ("""{ "codes": [] }""", "codes"),
                ("""{ "slugs": [] }""", "slugs"),
                ("""{ "codes": ["GITHUB_FORBIDDEN"], "states": [] }""", "states"),
                ("""{ "states": [""] }""", "states"),
                ("""{ "codes": [""] }""", "codes"),
                ("""{ "codes": [","] }""", "codes"),
                ("""{ "codes": [" "] }""", "codes"),
                ("""{ "codes": ["GITHUB_FORBIDDEN", ""] }""", "codes"),
                ("""{ "codes": ["GITHUB_FORBIDDEN,"] }""", "codes"),
                ("""{ "slugs": [""] }""", "slugs"),
                ("""{ "since": "" }""", "since"),
                ("""{ "until": "" }""", "until"),
                ("""{ "q": "" }""", "q"),
                ("""{ "code": ["GITHUB_FORBIDDEN"], "state": ["failed"] }""", "code"),
                ("""{ "codes": ["GITHUB_FORBIDDEN"], "dry_run": true }""", "dry_run"),
            ])
        {
            var problem = await (await service.Http.PostAsync("/repo-creations/requeue", Bodies.Json(body), Cancelled)).ReadInvalidAsync(field);

            Assert.Contains(field, problem.GetProperty("message").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
    }

    [Fact]
    public async Task What_is_not_known_is_named_together_with_what_is()
    {
        await using var service = await StartIdleAsync();

        var problem = await (await service.Http.PostAsync("/repo-creations/requeue", Bodies.Json("""{ "it's": 1 }"""), Cancelled)).ReadInvalidAsync("it's");

        Assert.Equal(
            "'it's' is not known here; known are states, codes, slugs, since, until, q, reason, limit, dryRun.", problem.GetProperty("message").GetString());
    }

    private Task<RunningService> StartIdleAsync() => RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);

    private static async Task<JsonElement> RequeueAsync(RunningService service, object request) =>
        await (await service.Http.PostAsJsonAsync("/repo-creations/requeue", request, Cancelled)).ReadAsync(HttpStatusCode.OK);

    private static async Task<int> MatchedAsync(RunningService service, object request)
    {
        var answer = await RequeueAsync(service, request);
        Assert.Equal(answer.GetProperty("matched").GetInt32(), answer.GetProperty("remaining").GetInt32());
        return answer.GetProperty("matched").GetInt32();
    }

    private static void AssertCounts(JsonElement answer, int matched, int requeued, int skipped, int remaining) => Assert.Equal(
        (matched, requeued, skipped, remaining),
        (answer.GetProperty("matched").GetInt32(), answer.GetProperty("requeued").GetInt32(), answer.GetProperty("skipped").GetInt32(), answer.GetProperty("remaining").GetInt32()));

    private static void AssertReasons(JsonElement answer, params (string Reason, int Count)[] reasons) => Assert.Equal(
        reasons.Order(), answer.GetProperty("skippedReasons").EnumerateObject().Select(reason => (reason.Name, reason.Value.GetInt32())).Order());

    /// <summary>As if a worker had the job of the project's creation.</summary>
    private static Task<object?> ProcessAsync(RunningService service, string slug) => service.QueryAsync<object>(
        $"UPDATE hangfire.job SET statename = 'Processing' WHERE id = (SELECT job_id::bigint FROM repo_creations JOIN projects ON id = project_id WHERE slug = '{slug}')");

    private static Task<object?> ChangeAsync(RunningService service, string table, string change, string slug) => service.QueryAsync<object>(
        $"UPDATE {table} SET {change} WHERE {(table is "projects" ? "id" : "project_id")} = (SELECT id FROM projects WHERE slug = '{slug}')");

    private static async Task AssertEnqueuedOnceAsync(RunningService service, long count)
    {
        Assert.Equal(count, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
        Assert.Equal(count, await service.QueryAsync<long>("SELECT count(DISTINCT jobid) FROM hangfire.jobqueue"));
        Assert.Equal(count, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.state WHERE name = 'Enqueued'"));
        Assert.Equal(count, await service.QueryAsync<long>("SELECT count(*) FROM repo_creations c JOIN hangfire.job j ON j.id = c.job_id::bigint WHERE c.state = 'queued' AND j.statename = 'Enqueued'"));
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.lock"));
    }

    /// <summary>One of them has a job at it.</summary>
    private static async Task AddFailedAsync(string database, int count)
    {
        await using (var connection = new Npgsql.NpgsqlConnection(database))
        {
            await connection.OpenAsync(Cancelled);
            await StoredCreations.AddFailedAsync(connection, count);
        }

        await PostgresCluster.QueryAsync<object>(
            database,
            """
            WITH begun AS (
                INSERT INTO hangfire.state (jobid, name, createdat) SELECT job_id::bigint, 'Processing', now() FROM repo_creations JOIN projects ON id = project_id WHERE slug = 'failed-1'
                RETURNING id, jobid)
            UPDATE hangfire.job SET stateid = begun.id, statename = 'Processing' FROM begun WHERE job.id = begun.jobid
            """);
    }

    private static Task<string?> ContentAsync(RunningService service) => service.QueryAsync<string>(
        """
        SELECT (SELECT string_agg(c::text, ';' ORDER BY project_id) FROM repo_creations c) || (SELECT string_agg(j::text, ';' ORDER BY id) FROM hangfire.job j)
            || (SELECT count(*) FROM hangfire.state) || ' ' || (SELECT count(*) FROM hangfire.jobqueue) || ' ' || (SELECT count(*) FROM hangfire.jobparameter)
        """);
}
