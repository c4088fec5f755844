using System.CommandLine;
using System.Globalization;
using System.Text;
using DataService.Benchmarks.Bench;
using DataService.Domain;

namespace DataService.Benchmarks.Sync;

/// <summary>What it costs of GitHub's limit to take the status of a project's tasks from their issues.</summary>
internal static class SyncCommand
{
    private const int Rounds = 3;

    public static Command Create()
    {
        var tasks = BenchmarkCommand.Number("--tasks", "the project's, each linked to an issue", 500, 5_000);
        return BenchmarkCommand.Create(
            "sync", "Calls to GitHub for a project with linked tasks, and those that count against the limit.", [tasks],
            (arguments, bed, report, cancellationToken) => RunAsync(bed, report, arguments.GetValue(tasks), cancellationToken));
    }

    private static async Task RunAsync(Bed bed, Report report, int tasks, CancellationToken cancellationToken)
    {
        var service = await bed.StartAsync("service", cancellationToken);
        await SeedAsync(bed, tasks, cancellationToken);
        // At its start the service looks at its token, which is no part of a sync. The simulator counts it a moment after it came.
        await bed.GitHub.Requests.WhenReceived(_ => true, cancellationToken);
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (bed.GitHub.PrimaryLimit.Usage.Used is 0)
            await ticks.WaitForNextTickAsync(cancellationToken);
        var sync = new Uri("/github/projects/synced-1/sync", UriKind.Relative);

        var cold = await RoundAsync("cold");
        var unchanged = new List<Cost>();
        for (var round = 0; round < Rounds; round++)
            unchanged.Add(await RoundAsync("nothing changed"));
        var repository = bed.GitHub.Repositories.All.Single();
        var now = DateTimeOffset.UtcNow;
        bed.GitHub.Repositories.UpdateIssue(repository.Id, tasks, issue => issue with { ClosedAt = now, UpdatedAt = now });
        await RoundAsync("one issue closed");
        var done = await bed.Database.QueryAsync<long>("SELECT count(*) FROM tasks WHERE status = 'done'", cancellationToken);
        if (done is not 1)
            throw new CannotRunException($"one issue was closed, and {done} tasks are done: the rounds did not do their work");

        report.Note($"one call for each task would be {tasks} calls");
        report.AtMost("calls to GitHub, cold", cold.Calls, 6, "0");
        report.AtMost("calls to GitHub, nothing changed", unchanged.Max(round => round.Calls), 6, "0");
        report.AtMost("calls that count, nothing changed", unchanged.Max(round => round.Counted), 0, "0");

        async Task<Cost> RoundAsync(string what)
        {
            // A project's next round is due 30 s after its last one.
            await bed.Database.ExecuteAsync("UPDATE projects SET issues_synced_at = NULL", cancellationToken);
            var (calls, used) = (bed.GitHub.Requests.Total, bed.GitHub.PrimaryLimit.Usage.Used);
            using var answer = await service.Http.PostAsync(sync, null, cancellationToken);
            if (!answer.IsSuccessStatusCode)
                throw new CannotRunException($"the sync answered {(int)answer.StatusCode}");
            var cost = new Cost(bed.GitHub.Requests.Total - calls, bed.GitHub.PrimaryLimit.Usage.Used - used);
            report.Note($"{what}: {cost.Calls} calls, {cost.Counted} count");
            return cost;
        }
    }

    /// <summary>A project in its repository, with tasks that a push has written issues for.</summary>
    private static async Task SeedAsync(Bed bed, int count, CancellationToken cancellationToken)
    {
        await bed.Database.SeedProjectsAsync("synced", 1, cancellationToken);
        var repository = bed.GitHub.Repositories.Create(bed.GitHub.Options.Org, "synced-1", isPrivate: true)!;
        var rows = new StringBuilder();
        for (var i = 1; i <= count; i++)
        {
            var id = Guid.CreateVersion7();
            var issue = bed.GitHub.Repositories.CreateIssue(repository.Id, $"Task {i}", $"<!-- dataservice:task:{id:D} -->")!;
            var url = $"https://github.com/{repository.FullName}/issues/{issue.Number}";
            rows.Append(i is 1 ? "" : ", ").Append(
                CultureInfo.InvariantCulture,
                $"('{id}', (SELECT id FROM projects), 'Task {i}', '{ProjectTask.Pending}', {issue.Number}, '{url}', {i}, now())");
        }

        await bed.Database.ExecuteAsync(
            $"UPDATE projects SET github_repo = '{repository.FullName}', status = 'review', approved_at = now()", cancellationToken);
        await bed.Database.ExecuteAsync(
            $"""
             INSERT INTO tasks (id, project_id, title, status, github_issue_number, github_issue_url, sort_order, created_at)
             VALUES {rows}
             """, cancellationToken);
    }

    /// <param name="Calls">To GitHub.</param>
    /// <param name="Counted">Against the limit; an answer of 304 is free.</param>
    private sealed record Cost(long Calls, int Counted);
}
