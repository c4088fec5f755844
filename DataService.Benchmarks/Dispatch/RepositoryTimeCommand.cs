using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using DataService.Benchmarks.Chaos;
using DataService.Jobs.Dispatch;

namespace DataService.Benchmarks.Dispatch;

/// <summary>From the call that approves a project to the answer that shows its repository, on a service that does nothing else.</summary>
internal static class RepositoryTimeCommand
{
    private const int MedianLimit = 300;
    private const int P95Limit = 1_000;

    /// <summary>How often the caller asks for the repository.</summary>
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(30);

    public static Command Create()
    {
        var samples = Measurement.Number("--samples", "approvals, one after another, after a pause of up to 1.5 s each", 60, least: 20);
        var command = new Command("repository-time", "Measures the time from an approval to the project's repository on an idle service.")
        {
            samples,
        };
        command.SetMeasurement((arguments, bed, output, cancellationToken) =>
            MeasureAsync(bed, arguments.GetValue(samples), output, cancellationToken));
        return command;
    }

    private static async Task MeasureAsync(TestBed bed, int samples, TextWriter output, CancellationToken cancellationToken)
    {
        var database = await bed.CreateDatabaseAsync("repository_time", cancellationToken);
        // The pace that GitHub asks for is not what is measured.
        await using var instance = (await bed.StartInstancesAsync(database, 1, cancellationToken, ("GitHub__ContentBudget", "off")))[0];
        const int Warm = 5;
        var times = new List<double>();
        for (var number = 0; number < Warm + samples; number++)
        {
            // At any moment between two looks at the queue.
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(500, 1_500)), cancellationToken);
            var time = await ApproveAsync(bed.Http, instance, $"sample-{number}", cancellationToken);
            if (number >= Warm)
                times.Add(time.TotalMilliseconds);
        }

        times.Sort();
        var (median, p95) = (times[times.Count / 2], times[(int)(times.Count * 0.95)]);
        var interval = JobDispatcher.Interval.TotalMilliseconds;
        await output.WriteLineAsync($"from approve to the repository, {samples} approvals on an idle service, GitHub at 0 ms,");
        await output.WriteLineAsync($"beside the interval between two looks at the queue, {interval:0} ms");
        await WriteAsync("p50", median, MedianLimit);
        await WriteAsync("p95", p95, P95Limit);
        await output.WriteLineAsync($"  max  {times[^1],6:0} ms   {times[^1] / interval:0.00} x");

        Task WriteAsync(string name, double value, int limit) => output.WriteLineAsync(
            $"  {name}  {value,6:0} ms   {value / interval:0.00} x   limit {limit} ms, {(value < limit ? "kept" : "missed")}");
    }

    private static async Task<TimeSpan> ApproveAsync(
        HttpClient http, ServiceInstance instance, string slug, CancellationToken cancellationToken)
    {
        var projects = new Uri(instance.Address, "/projects");
        using (var created = await http.PostAsJsonAsync(projects, new { name = slug }, cancellationToken))
            created.EnsureSuccessStatusCode();
        var begun = TimeProvider.System.GetTimestamp();
        using (var approved = await http.PostAsync(new Uri(instance.Address, $"/projects/{slug}/approve"), null, cancellationToken))
            approved.EnsureSuccessStatusCode();
        while (true)
        {
            var project = await http.GetFromJsonAsync<JsonElement>(new Uri(instance.Address, $"/projects/{slug}"), cancellationToken);
            var elapsed = TimeProvider.System.GetElapsedTime(begun);
            if (project.GetProperty("githubRepo").ValueKind is JsonValueKind.String)
                return elapsed;
            if (elapsed > GiveUp)
                throw new TimeoutException($"{slug} has no repository: {project}");
            await Task.Delay(Poll, cancellationToken);
        }
    }
}
