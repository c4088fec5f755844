using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DataService.Data;
using DataService.Tests.Support;
using Hangfire;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace DataService.Tests.Projects;

/// <summary>The approval in one statement, beside the one by the entities, and against all that may come between.</summary>
public sealed partial class PlainApprovalTests(PostgresCluster cluster)
{
    private static readonly string[] AtRest = ["failed", "retrying"];

    private static readonly string[] Tables =
    [
        "projects", "repo_creations", "creation_events", "audit_entries", "hangfire.job", "hangfire.state", "hangfire.jobqueue", "hangfire.jobparameter",
        "hangfire.set", "hangfire.counter", "hangfire.aggregatedcounter", "hangfire.list", "hangfire.lock",
    ];

    /// <summary>What a project may have come to before it is approved: stored failed creations, changed by SQL. The first ones have none.</summary>
    private static readonly (string Name, string Sql, bool IsPlain)[] States =
    [
        ("in the interview", "", true),
        ("in review", "UPDATE projects SET status = 'review' WHERE id = @id", true),
        ("approved, without a creation", "UPDATE projects SET status = 'review', approved_at = now() - interval '1 day' WHERE id = @id", false),
        ("in the interview, with an approval", "UPDATE projects SET approved_at = now() - interval '1 day' WHERE id = @id", false),
        ("with a chosen repository", "UPDATE projects SET github_repo = 'someone/else' WHERE id = @id", false),
        ("under way", "UPDATE projects SET status = 'active' WHERE id = @id", false),
        ("complete", "UPDATE projects SET status = 'complete' WHERE id = @id", false),
        ("failed", Stored("failed", "Failed"), false),
        ("failed, never approved", Stored("failed", "Failed") + "; UPDATE projects SET approved_at = NULL, status = 'interviewing' WHERE id = @id", false),
        ("queued", Stored("queued", "Enqueued"), false),
        ("creating", Stored("creating", "Processing"), false),
        ("retrying", Stored("retrying", "Scheduled"), false),
        ("queued, its job deleted", Stored("queued", "Deleted"), false),
        ("creating, its job lost", Stored("creating", "Enqueued") + "; DELETE FROM hangfire.job WHERE id = (SELECT job_id::bigint FROM repo_creations WHERE project_id = @id)", false),
        ("created, its repository taken away", Stored("created", "Succeeded"), false),
        ("skipped", Stored("skipped", "Succeeded"), false),
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_ways_give_the_same_answer_and_leave_the_same_rows_whatever_the_project_had_come_to()
    {
        var entities = await ApproveAllAsync(isForbidden: true);
        var plain = await ApproveAllAsync(isForbidden: false);

        Assert.All(States.Zip(entities.Commands), state => Assert.True(state.Second > 0, $"{state.First.Name}: no command of the entities"));
        Assert.All(States.Zip(plain.Commands), state => Assert.True(state.Second is 0 == state.First.IsPlain, $"{state.First.Name}: {state.Second} commands of the entities"));
        Assert.Equal(entities.Answers, plain.Answers);
        Assert.Contains(entities.Answers, answer => answer.StartsWith("409", StringComparison.Ordinal));
        Assert.Contains(plain.Rows, row => row.StartsWith("hangfire.jobqueue", StringComparison.Ordinal) && row.Contains("state-1\"", StringComparison.Ordinal));
        Assert.Equal(entities.Rows, plain.Rows);
    }

    [Fact]
    public async Task A_slug_that_is_too_long_for_any_project_is_not_found()
    {
        await using var service = await RunningService.StartAsync(cluster);

        using var response = await service.Http.PostAsync($"/projects/{new string('x', 7_000)}/approve", null, Cancelled);

        await response.ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
    }

    [Fact]
    public async Task A_failure_in_the_statement_leaves_nothing_behind()
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        var slug = await service.CreateProjectAsync("Lost");
        await service.QueryAsync<object>(
            """
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'The server could have died here.'; END $$;
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON audit_entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()
            """);

        await (await service.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled)).ReadProblemAsync(HttpStatusCode.InternalServerError, "INTERNAL");

        Assert.Equal("interviewing", (await service.GetProjectAsync(slug)).GetProperty("status").GetString());
        foreach (var table in Tables[1..])
            Assert.Equal(0L, await service.QueryAsync<long>($"SELECT count(*) FROM {table}"));
    }

    [Fact]
    public async Task No_worker_sees_the_job_before_the_commit()
    {
        await using var service = await RunningService.StartAsync(cluster);
        var slug = await service.CreateProjectAsync("Patience");
        await using var gate = await CommitGate.CloseAsync(service.ConnectionString);

        var approval = service.ApproveAsync(slug);
        await gate.HoldsAsync(1);

        // The job's row is written and not committed. Other jobs run meanwhile, so the workers have looked at the queue since.
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.job"));
        var other = service.Services.GetRequiredService<IBackgroundJobClient>().Enqueue(() => Thread.SpinWait(1));
        await service.JobReachesAsync(other, "Succeeded");
        Assert.Empty(service.GitHub.Requests.All);
        Assert.Equal("interviewing", (await service.GetProjectAsync(slug)).GetProperty("status").GetString());

        await gate.DisposeAsync();
        await approval;
        await service.CreationReachesAsync(slug, "created");
    }

    [Fact]
    public async Task An_approval_whose_answer_was_lost_on_the_way_from_the_database_is_answered_and_enqueued_once()
    {
        var database = await cluster.CreateDatabaseAsync();
        await using var relay = new PostgresRelay(database);
        await using var service = await RunningService.StartAsync(relay.ConnectionString, replace: StoredCreations.WithoutWorkers);
        var slug = await service.CreateProjectAsync("Lost answer");
        relay.LoseAnswerTo(slug);

        var approved = await service.ApproveAsync(slug);

        Assert.Equal(1, relay.Lost);
        Assert.Equal("queued", approved.GetProperty("repoCreation").GetProperty("state").GetString());
        Assert.Equal(1L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.job"));
        Assert.Equal(1L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
        Assert.Equal(1L, await service.QueryAsync<long>("SELECT count(*) FROM creation_events"));
        Assert.Contains(service.Logs.Events, e => e.RenderMessage(null).Contains("in one statement failed", StringComparison.Ordinal));
    }

    /// <summary>The statement passes a locked project over: these are the entities', who wait.</summary>
    [Theory]
    [InlineData("UPDATE projects SET github_repo = 'someone/else'", "skipped", 0)]
    [InlineData("UPDATE projects SET approved_at = now(), status = 'review'", "queued", 1)]
    [InlineData("INSERT INTO repo_creations (project_id, state, attempts, retries, run, updated_at) SELECT id, 'failed', 1, 0, 1, now() FROM projects", "queued", 1)]
    [InlineData("UPDATE projects SET status = 'active'", null, 0)]
    [InlineData("DELETE FROM projects", null, 0)]
    public async Task What_was_committed_while_it_waited_for_the_project_counts(string meanwhile, string? state, long jobs)
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        var slug = await service.CreateProjectAsync("Contended");
        await using var session = new NpgsqlConnection(service.ConnectionString);
        await session.OpenAsync(Cancelled);
        await using var transaction = await session.BeginTransactionAsync(Cancelled);
        await using (var command = new NpgsqlCommand($"SELECT FROM projects FOR UPDATE; {meanwhile}", session, transaction))
            await command.ExecuteNonQueryAsync(Cancelled);

        var approval = service.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled);
        await Eventually.ReturnsAsync(
            () => service.QueryAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE {session.ProcessID} = ANY (pg_blocking_pids(pid))"), waiting => waiting is 1, "the approval to wait");
        await transaction.CommitAsync(Cancelled);

        await CameToAsync(service, await approval, state, jobs);
    }

    /// <summary>The statement is held between its snapshot and its lock, where it asks for the version of Hangfire's tables.</summary>
    [Theory]
    [InlineData("UPDATE projects SET github_repo = 'someone/else'", "skipped", 0)]
    [InlineData("UPDATE projects SET approved_at = now(), status = 'review'", "queued", 1)]
    [InlineData("UPDATE projects SET name = 'Renamed'", "queued", 1)]
    [InlineData("UPDATE projects SET status = 'active'", null, 0)]
    [InlineData("DELETE FROM projects", null, 0)]
    public async Task What_was_committed_after_the_statement_had_begun_counts(string meanwhile, string? state, long jobs)
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        var slug = await service.CreateProjectAsync("Overtaken");
        await service.QueryAsync<object>(
            """
            CREATE FUNCTION wait_here() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(4713); RETURN 0; END $$;
            ALTER TABLE hangfire.schema RENAME TO versions;
            CREATE VIEW hangfire.schema AS SELECT version + wait_here() AS version FROM hangfire.versions
            """);
        await using var gate = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(service.ConnectionString) { Pooling = false }.ConnectionString);
        await gate.OpenAsync(Cancelled);
        await using (var close = new NpgsqlCommand("SELECT pg_advisory_lock(4713)", gate))
            await close.ExecuteNonQueryAsync(Cancelled);

        var approval = service.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled);
        await Eventually.ReturnsAsync(
            () => service.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'WITH asked%' AND wait_event = 'advisory'"),
            waiting => waiting is 1, "the statement to wait");
        await service.QueryAsync<object>(meanwhile);
        await gate.DisposeAsync();

        await CameToAsync(service, await approval, state, jobs);
        Assert.DoesNotContain(service.Logs.Events, e => e.RenderMessage(null).Contains("in one statement failed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tables_that_are_not_as_the_statement_has_them_leave_the_approval_to_the_entities()
    {
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        var slug = await service.CreateProjectAsync("Newer");
        await service.QueryAsync<object>("ALTER TABLE hangfire.schema RENAME COLUMN version TO number");

        var approved = await service.ApproveAsync(slug);

        Assert.Equal("queued", approved.GetProperty("repoCreation").GetProperty("state").GetString());
        Assert.Equal(1L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
    }

    [Fact]
    public async Task Against_choices_deletions_bulk_runs_and_each_other_approvals_neither_fail_nor_enqueue_twice()
    {
        const int Count = 60;
        await using var service = await RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
        await service.QueryAsync<object>(
            $"INSERT INTO projects (id, name, slug, status, created_at) SELECT gen_random_uuid(), 'P ' || i, 'p-' || i, 'interviewing', now() FROM generate_series(1, {Count}) i");
        string[] slugs = [.. Enumerable.Range(1, Count).Select(i => $"p-{i}")];
        var answers = new ConcurrentBag<(string What, HttpStatusCode Status)>();

        async Task AllAsync(string what, IEnumerable<string> of, Func<string, Task<HttpResponseMessage>> send) =>
            await Parallel.ForEachAsync(of, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Cancelled }, async (slug, _) => answers.Add((what, (await send(slug)).StatusCode)));

        Task<HttpResponseMessage> ApproveAsync(string slug) => service.Http.PostAsync($"/projects/{slug}/approve", null, Cancelled);
        await Task.WhenAll(
            AllAsync("approve", slugs, ApproveAsync),
            AllAsync("approve", slugs.Reverse(), ApproveAsync),
            AllAsync("approve", slugs, ApproveAsync),
            AllAsync("choose", slugs.Where((_, i) => i % 3 is 1), slug => service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = "someone/else" }, Cancelled)),
            AllAsync("delete", slugs.Where((_, i) => i % 3 is 2), slug => service.Http.DeleteAsync($"/projects/{slug}", Cancelled)),
            AllAsync("bulk", Enumerable.Repeat("enqueue-missing", 10), way => service.Http.PostAsJsonAsync($"/repo-creations/{way}", new { limit = 20 }, Cancelled)),
            AllAsync("bulk", Enumerable.Repeat("requeue", 10), way => service.Http.PostAsJsonAsync($"/repo-creations/{way}", new { limit = 20, states = AtRest }, Cancelled)));

        Assert.All(answers, answer => Assert.Contains(
            (int)answer.Status, answer.What switch { "approve" => (int[])[200, 404], "delete" => [204], _ => [200] }));
        Assert.Equal((long)Count * 2 / 3, await service.QueryAsync<long>("SELECT count(*) FROM projects WHERE status = 'review' AND approved_at IS NOT NULL"));
        Assert.Equal(Count / 3L, await service.QueryAsync<long>("SELECT count(*) FROM repo_creations c JOIN hangfire.jobqueue q ON q.jobid::text = c.job_id WHERE c.state = 'queued'"));
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM (SELECT FROM hangfire.job GROUP BY arguments HAVING count(*) > 1) twice"));
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM projects p JOIN repo_creations c ON c.project_id = p.id WHERE p.github_repo IS NOT NULL AND c.state <> 'skipped'"));
    }

    [Fact]
    public async Task A_process_that_dies_in_the_approval_leaves_none_and_another_one_makes_it_good()
    {
        await using var deployment = await Deployment.CreateAsync(cluster);
        var doomed = await deployment.StartAsync();
        var slug = await deployment.CreateProjectAsync("Mortal");
        await using var gate = await CommitGate.CloseAsync(deployment.ConnectionString);
        var approval = deployment.ApproveAsync(slug);
        await gate.HoldsAsync(1);

        await doomed.KillAsync();

        await gate.OpenToNobodyAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => approval);
        // A minute may have turned meanwhile, and with it a recurring job.
        Assert.Equal(0L, await deployment.QueryAsync<long>("SELECT count(*) FROM hangfire.job WHERE invocationdata ->> 'Type' LIKE '%CreateProjectRepoJob%'"));
        Assert.Equal(0L, await deployment.QueryAsync<long>("SELECT count(*) FROM projects WHERE status <> 'interviewing' OR approved_at IS NOT NULL"));
        Assert.Equal(0L, await deployment.QueryAsync<long>("SELECT count(*) FROM audit_entries"));
        await deployment.StartAsync();
        await deployment.ApproveAsync(slug);
        await deployment.ComesToRestAsync(slug);
        Assert.Single(deployment.GitHub.Repositories.All);
    }

    /// <param name="service">That was asked.</param>
    /// <param name="response">To the approval.</param>
    /// <param name="state">Of the creation; null where the approval was refused.</param>
    /// <param name="jobs">That are there, each of them in the queue.</param>
    private static async Task CameToAsync(RunningService service, HttpResponseMessage response, string? state, long jobs)
    {
        if (state is null)
            Assert.Contains(response.StatusCode, (HttpStatusCode[])[HttpStatusCode.NotFound, HttpStatusCode.Conflict]);
        else
            Assert.Equal(state, (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("repoCreation").GetProperty("state").GetString());
        Assert.Equal(jobs, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
        Assert.Equal(jobs, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.job"));
    }

    private static string Stored(string state, string job) =>
        $"""
         UPDATE repo_creations SET state = '{state}' WHERE project_id = @id;
         UPDATE hangfire.job SET statename = '{job}' WHERE id = (SELECT job_id::bigint FROM repo_creations WHERE project_id = @id)
         """;

    /// <summary>Brings a project to each state, approves all, and tells what came of it: without what differs from run to run.</summary>
    private async Task<(List<string> Answers, List<int> Commands, List<string> Rows)> ApproveAllAsync(bool isForbidden)
    {
        var commands = new CommandCount();
        await using var service = await RunningService.StartAsync(cluster, replace: services =>
        {
            StoredCreations.WithoutWorkers(services);
            services.ConfigureDbContext<DataServiceDbContext>(context => context.AddInterceptors(commands));
        });
        if (isForbidden)
            await service.ForbidPlainApprovalsAsync();
        await service.AddFailedAsync(States.Length, name: "state");
        for (var i = 0; i < States.Length; i++)
        {
            var id = await service.QueryAsync<Guid>($"SELECT id FROM projects WHERE slug = 'state-{i + 1}'");
            if (!States[i].Sql.Contains("repo_creations", StringComparison.Ordinal))
            {
                await service.QueryAsync<object>(
                    $"""
                     DELETE FROM hangfire.job WHERE id = (SELECT job_id::bigint FROM repo_creations WHERE project_id = '{id}');
                     DELETE FROM repo_creations WHERE project_id = '{id}';
                     UPDATE projects SET status = 'interviewing', approved_at = NULL WHERE id = '{id}'
                     """);
            }

            if (States[i].Sql is { Length: > 0 } sql)
                await service.QueryAsync<object>(sql.Replace("@id", $"'{id}'", StringComparison.Ordinal));
        }

        List<string> answers = [];
        List<int> counts = [];
        for (var i = 0; i < States.Length; i++)
        {
            commands.Reset();
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/projects/state-{i + 1}/approve") { Headers = { { "X-Request-Id", "request-of-the-test" } } };
            var response = await service.Http.SendAsync(request, Cancelled);
            counts.Add(commands.Count);
            answers.Add($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(Cancelled)}");
        }

        var names = await NamesAsync(service);
        return ([.. answers.Select(answer => Normal(JsonNode.Parse(answer[4..])!, names).ToJsonString().Insert(0, answer[..4]))], counts, await RowsAsync(service, names));
    }

    /// <summary>What projects and jobs are called in the comparison: by their slugs, and a project's jobs by their order.</summary>
    private static async Task<Dictionary<string, string>> NamesAsync(RunningService service)
    {
        var names = new Dictionary<string, string>();
        await using var connection = new NpgsqlConnection(service.ConnectionString);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(
            """
            SELECT id::text, slug FROM projects
            UNION ALL SELECT j.id::text, 'job ' || row_number() OVER (PARTITION BY p.id ORDER BY j.id) || ' of ' || p.slug
            FROM hangfire.job j JOIN projects p ON j.arguments ->> 0 = '"' || p.id || '"'
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(Cancelled);
        while (await reader.ReadAsync(Cancelled))
            names.Add(reader.GetString(0), reader.GetString(1));
        return names;
    }

    private static async Task<List<string>> RowsAsync(RunningService service, Dictionary<string, string> names)
    {
        var rows = new List<string>();
        await using var connection = new NpgsqlConnection(service.ConnectionString);
        await connection.OpenAsync(Cancelled);
        foreach (var table in Tables)
        {
            await using var command = new NpgsqlCommand($"SELECT to_jsonb(t)::text FROM {table} t", connection);
            await using var reader = await command.ExecuteReaderAsync(Cancelled);
            while (await reader.ReadAsync(Cancelled))
                rows.Add($"{table} {Normal(JsonNode.Parse(reader.GetString(0))!, names).ToJsonString()}");
        }

        rows.Sort(StringComparer.Ordinal);
        return rows;
    }

    /// <summary>Ids give way to names and times to a word; whether there is a time stays to be seen.</summary>
    private static JsonNode Normal(JsonNode node, Dictionary<string, string> names, string name = "")
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (key, value) in members.ToList())
                    members[key] = value is null ? null : Normal(value.DeepClone(), names, key);
                return members;
            case JsonArray items:
                return new JsonArray([.. items.Select(item => item is null ? null : Normal(item.DeepClone(), names))]);
        }

        var text = node.ToString();
        if (name is "jobid" or "job_id" or "jobId" or "project_id" && names.TryGetValue(text, out var called))
            return called;
        // A number that is also a job's is that of something else; a project's id is no number.
        if (name is "id" or "stateid" && long.TryParse(text, CultureInfo.InvariantCulture, out _))
            return "ID";
        if (name.EndsWith("at", StringComparison.OrdinalIgnoreCase) && (long.TryParse(text, CultureInfo.InvariantCulture, out _) || DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _)))
            return "TIME";
        // Each request has one of its own.
        if (name is "TraceParent")
            return "TRACE";
        foreach (var (id, word) in names.Where(known => known.Key.Length is 36))
            text = text.Replace(id, word, StringComparison.Ordinal);
        return JobInText().Replace(text, match => $"job {names.GetValueOrDefault(match.Groups["id"].Value, "GONE")}");
    }

    [GeneratedRegex(@"job (?<id>\d+)(?! of )")]
    private static partial Regex JobInText();

    /// <summary>Commands that EF has sent: what the entities need, and the one statement does not.</summary>
    private sealed class CommandCount : DbCommandInterceptor
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public void Reset() => Volatile.Write(ref _count, 0);

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _count);
            return ValueTask.FromResult(result);
        }
    }
}
