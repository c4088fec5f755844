using System.Collections.Concurrent;
using GitHubSimulator;
using GitHubSimulator.Faults;

namespace DataService.Benchmarks.Chaos;

/// <summary>
/// What the simulated GitHub does to each project's calls, drawn from the seed and the project's number alone: a fifth of the names belong
/// to strangers, a quarter of the creations and of the looks fail, in rows of at most a few, so that the service's retries can win.
/// </summary>
internal sealed class FaultMix(SimulatorState gitHub, int seed)
{
    private const double StrangerShare = 0.2;
    private const double FaultShare = 0.25;
    private const int LongestRow = 3;
    private static readonly TimeSpan VisibilityInterval = TimeSpan.FromSeconds(5);
    private static readonly int[] VisibilityDelaysMs = [0, 0, 500, 2_000];

    /// <summary>Ours give up after <see cref="RequestTimeout"/>, and GitHub works all the same.</summary>
    private static readonly TimeSpan TooLate = RequestTimeout + TimeSpan.FromSeconds(2);

    /// <summary>A kind that costs a whole timeout is rarer, or an instance's calls would do nothing but wait.</summary>
    private static readonly FaultRule[] Creations = Weighted(
        (4, new() { Kind = FaultKind.LostAnswer }),
        (3, new() { Kind = FaultKind.Reset }),
        (3, new() { Kind = FaultKind.BadGateway }),
        (2, new() { Kind = FaultKind.CutBody }),
        (2, new() { Kind = FaultKind.TruncatedBody }),
        (2, new() { Kind = FaultKind.EmptyBody }),
        (1, new() { Kind = FaultKind.NullBody }),
        (2, new() { Kind = FaultKind.SecondaryLimit, RetryAfterSeconds = 1 }),
        (1, new() { Kind = FaultKind.StalledBody }),
        (1, new() { Kind = FaultKind.Hang }),
        (1, new() { Kind = FaultKind.Delay, DelayMs = (int)TooLate.TotalMilliseconds }));

    private static readonly FaultRule[] Looks = Weighted(
        (4, new() { Kind = FaultKind.NotYetVisible }),
        (2, new() { Kind = FaultKind.Reset }),
        (2, new() { Kind = FaultKind.BadGateway }),
        (1, new() { Kind = FaultKind.TruncatedBody }),
        (1, new() { Kind = FaultKind.EmptyBody }),
        (1, new() { Kind = FaultKind.StalledBody }));

    private readonly ConcurrentDictionary<string, string> _drawn = [];
    private int _strangers;
    private int _met;

    /// <summary>What the instances are told to wait for an answer of GitHub's.</summary>
    public static TimeSpan RequestTimeout => TimeSpan.FromSeconds(5);

    public int Strangers => Volatile.Read(ref _strangers);

    /// <summary>Calls that a fault met; counted when they are cleared.</summary>
    public int Met => Volatile.Read(ref _met);

    /// <summary>Prepares the simulator for the project, before the service knows of it.</summary>
    public void Prepare(int number, string slug)
    {
        var random = new Random(unchecked(seed * 100_003 + number));
        List<string> drawn = [];
        if (random.NextDouble() < StrangerShare)
        {
            gitHub.Repositories.Create(gitHub.Options.Org, slug, isPrivate: random.Next(2) is 0, "Somebody else's", stranger: true);
            Interlocked.Increment(ref _strangers);
            drawn.Add("a stranger's name");
        }

        drawn.AddRange(SetRow(random, Creations, "POST", slug));
        drawn.AddRange(SetRow(random, Looks, "GET", slug));
        _drawn[slug] = drawn.Count is 0 ? "nothing" : string.Join(", ", drawn);
    }

    /// <summary>What was prepared for the project, in words.</summary>
    public string DrawnFor(string slug) => _drawn.GetValueOrDefault(slug, "unknown");

    /// <summary>Changes every few seconds how long a new repository stays hidden, until cancelled.</summary>
    public async Task ChangeVisibilityAsync(CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        using var ticks = new PeriodicTimer(VisibilityInterval);
        do
        {
            gitHub.ContentLimit.Set(new() { AccessRepositoryDelayMs = VisibilityDelaysMs[random.Next(VisibilityDelaysMs.Length)] });
        }
        while (await ticks.WaitForNextTickAsync(cancellationToken));
    }

    /// <summary>GitHub works from now on. Calls that a fault still holds are let go, and do their work.</summary>
    public void Clear()
    {
        Volatile.Write(ref _met, gitHub.Faults.All.Sum(fault => fault.Used));
        gitHub.Faults.Clear();
        gitHub.ContentLimit.Set(new());
    }

    /// <summary>Rules are met in their order and once each: the first call meets the first of the row, its retry the second.</summary>
    private IEnumerable<string> SetRow(Random random, FaultRule[] kinds, string method, string slug)
    {
        for (var row = 0; row < LongestRow && random.NextDouble() < FaultShare; row++)
        {
            var rule = kinds[random.Next(kinds.Length)];
            gitHub.Faults.Add(rule with { Method = method, Name = slug + "*", Times = 1 });
            yield return $"{method} {rule.Kind}";
        }
    }

    private static FaultRule[] Weighted(params ReadOnlySpan<(int Weight, FaultRule Rule)> kinds)
    {
        List<FaultRule> all = [];
        foreach (var (weight, rule) in kinds)
            all.AddRange(Enumerable.Repeat(rule, weight));
        return [.. all];
    }
}
