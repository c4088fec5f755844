using System.Text.Json;
using GitHubSimulator.Requests;

namespace DataService.Benchmarks.Chaos;

/// <summary>What happened around one project, in the order of time: for whoever has to explain a violation.</summary>
internal static class ProjectTrace
{
    public static IEnumerable<string> Of(
        string slug, IEnumerable<ReceivedRequest> requests, IEnumerable<JobState> states, IReadOnlyCollection<InstanceLife> lives,
        IEnumerable<TimeWindow> databaseDown)
    {
        var ofJob = states.Where(state => state.Slug == slug).ToList();
        var workers = ofJob.Select(state => state.ProcessId).ToHashSet();
        List<(DateTime At, string Text)> events =
        [
            .. requests.Where(request => NameOf(request)?.StartsWith(slug, StringComparison.Ordinal) is true).Select(request => (
                request.Time.UtcDateTime,
                $"{request.Method} {NameOf(request)}: {request.Status?.ToString() ?? "dropped"} at {request.EndedAt:HH:mm:ss.fff}")),
            .. ofJob.Select(state => (state.At, $"job {state.JobId} {state.Name} {(state.ProcessId is { } id ? $"by {id}" : "")}")),
            .. lives.Where(life => workers.Contains(life.ProcessId) && life.EndedAt is not null)
                .Select(life => (life.EndedAt!.Value, $"process {life.ProcessId} {(life.Killed ? "killed" : "ended by itself")}")),
        ];
        if (events.Count is 0)
            return [];
        var (begin, end) = (events.Min(entry => entry.At), events.Max(entry => entry.At));
        events.AddRange(databaseDown.Where(window => window.To > begin && window.From < end)
            .Select(window => (window.From, $"PostgreSQL down until {window.To:HH:mm:ss.fff}")));
        return events.OrderBy(entry => entry.At).Select(entry => $"{entry.At:HH:mm:ss.fff} {entry.Text}");
    }

    /// <summary>The repository that a request is about; of a creation, the one that it asks for.</summary>
    public static string? NameOf(ReceivedRequest request) => request.Path.Split('/') switch
    {
        ["", "repos", _, var name, ..] => name,
        ["", "orgs", _, "repos"] when request.Method is "POST" =>
            JsonDocument.Parse(request.Body).RootElement.GetProperty("name").GetString(),
        _ => null,
    };
}
