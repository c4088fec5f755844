using System.Globalization;

namespace DataService.Benchmarks.Chaos;

/// <summary>A state that Hangfire has written for a job.</summary>
/// <param name="JobId">Hangfire's number of the job.</param>
/// <param name="Slug">The project that the job serves; null where that is gone.</param>
/// <param name="Name">Such as Processing.</param>
/// <param name="At">UTC.</param>
/// <param name="Server">Of Processing: which server it was, by Hangfire's name, <c>host:process id:number</c>.</param>
internal sealed record JobState(long JobId, string? Slug, string Name, DateTime At, string? Server)
{
    public const string Processing = "Processing";

    public int? ProcessId =>
        Server?.Split(':') is [.., var id, _] && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}

/// <param name="Slug">The project that the job serves; null where that is gone.</param>
/// <param name="Wait">From the kill to the job's next state, as far as somebody could have gone on.</param>
internal sealed record Rescue(string? Slug, TimeSpan Wait);

/// <summary>
/// How long the jobs of killed processes waited until somebody went on with them: from the kill to the job's next state, without the time
/// in which PostgreSQL was down or no instance was ready, as nobody could have gone on then. Pure.
/// </summary>
/// <param name="All">One for each job at which a process was killed and which went on, shortest first.</param>
/// <param name="Abandoned">Jobs at which a process was killed and which never went on.</param>
internal sealed record Rescues(IReadOnlyList<Rescue> All, int Abandoned)
{
    public Rescue? Longest => All.Count is 0 ? null : All[^1];

    public TimeSpan Median => All.Count is 0 ? TimeSpan.Zero : All[All.Count / 2].Wait;

    /// <param name="states">Of all jobs, in the order in which they were written.</param>
    /// <param name="lives">Of all instances.</param>
    /// <param name="databaseDown">When PostgreSQL was down.</param>
    public static Rescues Measure(
        IEnumerable<JobState> states, IReadOnlyCollection<InstanceLife> lives, IReadOnlyCollection<TimeWindow> databaseDown)
    {
        var killed = lives.Where(life => life is { Killed: true, EndedAt: not null }).ToLookup(life => life.ProcessId);
        TimeWindow[] ready = [.. lives.Select(life => life.Ready).OfType<TimeWindow>()];
        List<Rescue> rescues = [];
        var abandoned = 0;
        foreach (var job in states.GroupBy(state => state.JobId).Select(states => states.ToArray()))
        {
            foreach (var (index, state) in job.Index().Where(entry => entry.Item.Name is JobState.Processing))
            {
                var worker = killed[state.ProcessId ?? 0].FirstOrDefault(life => life.StartedAt <= state.At && state.At <= life.EndedAt);
                if (worker is not { EndedAt: { } end })
                    continue;
                var next = job.ElementAtOrDefault(index + 1);
                if (next is null)
                    abandoned++;
                // Otherwise the process had come to the end of this one before it was killed.
                else if (next.At > end)
                    rescues.Add(new(next.Slug, WorkableTime(new(end, next.At), ready, databaseDown)));
            }
        }

        return new([.. rescues.OrderBy(rescue => rescue.Wait)], abandoned);
    }

    /// <summary>The part of the window in which an instance was ready and PostgreSQL up.</summary>
    private static TimeSpan WorkableTime(TimeWindow window, TimeWindow[] ready, IReadOnlyCollection<TimeWindow> databaseDown)
    {
        DateTime[] edges =
        [
            window.From, window.To,
            .. ready.Concat(databaseDown).SelectMany(other => (DateTime[])[other.From, other.To]).Where(window.Holds),
        ];
        var sorted = edges.Distinct().Order().ToArray();
        return sorted.Zip(sorted.Skip(1))
            .Where(part => ready.Any(other => other.Holds(part.First)) && !databaseDown.Any(other => other.Holds(part.First)))
            .Aggregate(TimeSpan.Zero, (sum, part) => sum + (part.Second - part.First));
    }
}
