using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Scripts;

public sealed class OtherScriptsTests(PostgresCluster cluster)
{
    [Fact]
    public async Task List_failed_writes_all_pages_as_table_as_CSV_and_as_JSON()
    {
        await using var service = await StartAsync();
        await service.AddFailedAsync(230);
        await service.QueryAsync<object>("UPDATE projects SET name = '=1+1, \"x\"' WHERE slug = 'failed-7'; UPDATE repo_creations SET github_error = E'a\\x1b]0;owned' WHERE job_id = (SELECT min(job_id) FROM repo_creations)");

        var table = await Script.RunAsync(service, "list-failed");
        Assert.Equal(0, table.ExitCode);
        Assert.Equal(232, table.Lines.Length);
        Assert.EndsWith("230 creations.", table.Output.Trim(), StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', table.Output);

        var csv = await Script.RunAsync(service, "list-failed", "--format", "csv", "--limit", "225");
        Assert.Equal(226, csv.Lines.Length);
        Assert.StartsWith("slug,name,state,errorCode,", csv.Lines[0], StringComparison.Ordinal);
        Assert.Contains(csv.Lines, line => line.StartsWith("failed-7,\"'=1+1, \"\"x\"\"\",failed,GITHUB_FORBIDDEN,403,", StringComparison.Ordinal));

        var json = await Script.RunAsync(service, "list-failed", "--json", "--code", "GITHUB_FORBIDDEN");
        var slugs = JsonDocument.Parse(json.Output).RootElement.EnumerateArray().Select(creation => creation.GetProperty("slug").GetString()).ToList();
        Assert.Equal((230, 230, "failed-230"), (slugs.Count, slugs.Distinct().Count(), slugs[0]));

        Assert.Equal("[]", (await Script.RunAsync(service, "list-failed", "--json", "--since", "1m")).Output.ReplaceLineEndings(""));
        Assert.Equal(2, (await Script.RunAsync(service, "list-failed", "--format", "xml")).ExitCode);
    }

    [Fact]
    public async Task Pause_wants_a_reason_and_resume_ends_it()
    {
        await using var service = await StartAsync();

        Assert.Equal(2, (await Script.RunAsync(service, "pause")).ExitCode);
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM creation_pause"));
        var paused = await Script.RunAsync(service, "pause", "--reason", "The plan changes.");
        Assert.Equal(0, paused.ExitCode);
        Assert.StartsWith("Paused.", paused.Output, StringComparison.Ordinal);
        Assert.Contains("Paused already", (await Script.RunAsync(service, "pause", "--reason", "Another one.")).Output, StringComparison.Ordinal);
        Assert.Equal("The plan changes.", await service.QueryAsync<string>("SELECT reason FROM creation_pause"));

        var resumed = await Script.RunAsync(service, "resume");
        Assert.Contains("The plan changes.", resumed.Output, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, JsonDocument.Parse((await Script.RunAsync(service, "resume", "--json")).Output).RootElement.GetProperty("pause").ValueKind);
        Assert.Equal("pause script,resume script", await service.QueryAsync<string>("SELECT string_agg(action || ' ' || origin, ',' ORDER BY id) FROM audit_entries"));
    }

    [Fact]
    public async Task Enqueue_missing_gives_approved_projects_their_jobs()
    {
        await using var service = await StartAsync();
        await service.QueryAsync<object>("INSERT INTO projects (id, name, slug, status, approved_at, created_at) SELECT gen_random_uuid(), 'Lost ' || i, 'lost-' || i, 'review', now(), now() FROM generate_series(1, 3) i");

        Assert.Contains("3 match, 3 can be run.", (await Script.RunAsync(service, "enqueue-missing", "--dry-run")).Output, StringComparison.Ordinal);
        Assert.Equal(0L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
        var run = await Script.RunAsync(service, "enqueue-missing", "--yes");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Enqueued 3.", run.Output, StringComparison.Ordinal);

        Assert.Equal(3L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
        Assert.Contains("Nothing matches.", (await Script.RunAsync(service, "enqueue-missing", "--yes")).Output, StringComparison.Ordinal);
    }

    private Task<RunningService> StartAsync() => RunningService.StartAsync(cluster, replace: StoredCreations.WithoutWorkers);
}
