using System.Text;
using System.Text.Json.Serialization;

namespace DataService.Benchmarks.Chaos;

internal sealed record ChaosReport
{
    public required TimeSpan Duration { get; init; }

    public required int Seed { get; init; }

    /// <summary>Approvals answered with 200.</summary>
    public required int Approvals { get; init; }

    /// <summary>Approvals given up without an answer; they count for nothing else.</summary>
    public required int Unanswered { get; init; }

    /// <summary>Calls of the client sent again because the one before had no answer.</summary>
    public required int Repeated { get; init; }

    /// <summary>Answers to the client that no fault explains.</summary>
    public required IReadOnlyCollection<string> Refusals { get; init; }

    /// <summary>Processes killed with SIGKILL.</summary>
    public required int Kills { get; init; }

    public required int KillsInStart { get; init; }

    public required int KillsOfBoth { get; init; }

    /// <summary>Why processes ended that nobody killed, while PostgreSQL was up.</summary>
    public required IReadOnlyList<string> EndedByThemselves { get; init; }

    /// <summary>Of PostgreSQL, in immediate mode.</summary>
    public required int DatabaseRestarts { get; init; }

    public required IReadOnlyList<string> Duplicates { get; init; }

    public required IReadOnlyList<string> Orphans { get; init; }

    public required IReadOnlyList<string> Missing { get; init; }

    public required IReadOnlyList<string> Wrong { get; init; }

    /// <summary>Jobs at which a process was killed and which went on.</summary>
    public required int Rescues { get; init; }

    public required TimeSpan MedianRescue { get; init; }

    public required TimeSpan LongestRescue { get; init; }

    /// <summary>The project whose job waited longest; null where none did.</summary>
    public required string? LongestRescued { get; init; }

    /// <summary>Jobs at which a process was killed and which never went on.</summary>
    public required int Abandoned { get; init; }

    /// <summary>How long the service took to finish after the chaos; null where it did not within the limit.</summary>
    public required TimeSpan? Settled { get; init; }

    /// <summary>Requests for a creation that reached GitHub.</summary>
    public required int CreationsAsked { get; init; }

    /// <summary>Those that arrived while another one for the same project was still without an answer.</summary>
    public required int CreationsAtOnce { get; init; }

    /// <summary>Calls that a fault spoiled.</summary>
    public required int FaultsMet { get; init; }

    public required int Strangers { get; init; }

    /// <summary>What was drawn for a project and what happened: for each one in a violation, and for the one that waited longest.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<string>> Traces { get; init; }

    /// <summary>Whether every acknowledged approval has exactly one repository, and a run took place at all.</summary>
    [JsonInclude]
    public bool IsClean => Approvals > 0 && Duplicates.Count + Orphans.Count + Missing.Count + Wrong.Count + Refusals.Count is 0;

    [JsonIgnore]
    public string Line =>
        $"chaos {Clock(Duration)} seed {Seed}: {Approvals} approvals acknowledged, {Kills} kills, {DatabaseRestarts} database restarts, "
        + $"{Duplicates.Count} duplicates, {Orphans.Count} orphans, {Missing.Count} missing, {Wrong.Count} wrong, "
        + $"longest rescue {LongestRescue.TotalSeconds:0.0} s";

    public override string ToString()
    {
        var text = new StringBuilder(Line);
        Add($"client: {Repeated} calls repeated, {Unanswered} approvals given up, {Refusals.Count} refused");
        Add($"kills: {KillsInStart} in a start, {KillsOfBoth} times both at once; {EndedByThemselves.Count} processes ended by themselves");
        Add($"rescues: {Rescues} jobs of killed processes went on, median {MedianRescue.TotalSeconds:0.0} s, longest of {LongestRescued ?? "none"}; "
            + $"{Abandoned} did not");
        Add($"GitHub: {CreationsAsked} creations asked for, {CreationsAtOnce} at once for one project, {FaultsMet} faults, "
            + $"{Strangers} strangers");
        Add(Settled is { } settled ? $"settled {settled.TotalSeconds:0.0} s after the chaos" : "not settled within the limit");
        AddAll("refused: ", Refusals);
        AddAll("ended by itself: ", EndedByThemselves);
        AddAll("duplicate: ", Duplicates);
        AddAll("orphan: ", Orphans);
        AddAll("missing: ", Missing);
        AddAll("wrong: ", Wrong);

        foreach (var (slug, events) in Traces)
        {
            Add($"{slug}:");
            AddAll("  ", events);
        }

        return text.ToString();

        void AddAll(string before, IEnumerable<string> lines)
        {
            foreach (var line in lines)
                Add(before + line);
        }

        void Add(string line) => text.Append("\n  ").Append(line);
    }

    private static string Clock(TimeSpan time) => $"{(int)time.TotalMinutes}:{time.Seconds:00}";
}
