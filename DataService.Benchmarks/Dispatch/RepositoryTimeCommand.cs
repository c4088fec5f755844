using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using DataService.Benchmarks.Bench;
using DataService.Jobs.Dispatch;

namespace DataService.Benchmarks.Dispatch;

/// <summary>From the call that approves a project to the answer that shows its repository, on a service that does nothing else.</summary>
internal static class RepositoryTimeCommand
{
    private const double MedianLimit = 300;
    private const double P95Limit = 1_000;

    /// <summary>Approvals before the measurement.</summary>
    private const int WarmUp = 5;

    /// <summary>How often the caller asks for the repository.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(30);

    public static Command Create()
    {
        var samples = BenchmarkCommand.Number("--samples", "approvals, one after another", 60, 10_000);
        var pause = BenchmarkCommand.Number("--pause", "milliseconds before each at most, a third of that at least", 1_500, 60_000);
        return BenchmarkCommand.Create(
            "repository-time", "The time from an approval to the project's repository on an idle service.", [samples, pause],
            (arguments, bed, report, cancellationToken) =>
                RunAsync(bed, report, arguments.GetValue(samples), arguments.GetValue(pause), cancellationToken));
    }

    private static async Task RunAsync(Bed bed, Report report, int samples, int pause, CancellationToken cancellationToken)
    {
        var service = await bed.StartAsync("service", cancellationToken);
        var times = new List<double>();
        for (var number = 0; number < WarmUp + samples; number++)
        {
            // At any moment between two looks at the queue.
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(pause / 3, pause)), cancellationToken);
            var time = await ApproveAsync(service, $"sample-{number}", cancellationToken);
            if (number >= WarmUp)
                times.Add(time.TotalMilliseconds);
        }

        var interval = JobDispatcher.Interval.TotalMilliseconds;
        var (median, p95) = (Report.Median(times), Report.Percentile(times, 0.95));
        report.Note($"{samples} approvals on an idle service, GitHub at 0 ms: longest {times.Max():0} ms");
        report.Note($"of the {interval:0} ms between two looks at the queue: p50 {median / interval:0.00}, p95 {p95 / interval:0.00}");
        report.Below("approve to repository, p50, in ms", median, MedianLimit, "0");
        report.Below("approve to repository, p95, in ms", p95, P95Limit, "0");
    }

    private static async Task<TimeSpan> ApproveAsync(ServiceRun service, string slug, CancellationToken cancellationToken)
    {
        using (var created = await service.Http.PostAsJsonAsync("/projects", new { name = slug }, cancellationToken))
            created.EnsureSuccessStatusCode();
        var begun = TimeProvider.System.GetTimestamp();
        using (var approved = await service.Http.PostAsync(new Uri($"/projects/{slug}/approve", UriKind.Relative), null, cancellationToken))
            approved.EnsureSuccessStatusCode();
        while (true)
        {
            var project = await service.Http.GetFromJsonAsync<JsonElement>($"/projects/{slug}", cancellationToken);
            var elapsed = TimeProvider.System.GetElapsedTime(begun);
            if (project.GetProperty("githubRepo").ValueKind is JsonValueKind.String)
                return elapsed;
            if (elapsed > GiveUp)
                throw new CannotRunException($"{slug} has no repository: {project}");
            await Task.Delay(Poll, cancellationToken);
        }
    }
}
