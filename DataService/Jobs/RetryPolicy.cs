using DataService.Domain;

namespace DataService.Jobs;

/// <summary>When a failed creation is tried again by itself.</summary>
/// <param name="firstDelay">The wait before the first retry; each further one is three times as long, up to <see cref="LongestDelay"/>.</param>
internal sealed class RetryPolicy(TimeSpan firstDelay)
{
    /// <summary>Automatic retries after the first attempt; with the default first delay they span about 23 hours.</summary>
    public const int MaxRetries = 10;

    /// <summary>The default wait before the first retry.</summary>
    public static readonly TimeSpan DefaultFirstDelay = TimeSpan.FromSeconds(30);

    /// <summary>Before jitter.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromHours(5);

    /// <summary>GitHub's own lower bound after a limit for which it states no time; ever longer after that.</summary>
    private static readonly TimeSpan UnstatedLimitDelay = TimeSpan.FromSeconds(60);

    /// <summary>How far jitter may lag behind a time that GitHub stated.</summary>
    private static readonly TimeSpan LongestLag = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan ShortestStatedDelay = TimeSpan.FromSeconds(1);

    private const double Growth = 3;

    /// <summary>Share of the wait that is added at random, so that jobs which failed together do not come back together.</summary>
    private const double Jitter = 0.2;

    /// <summary>The time of the next attempt in UTC, or null when a person has to act first.</summary>
    /// <param name="failure">What the last attempt ended in.</param>
    /// <param name="retriesUsed">Retries since a person last had the job enqueued.</param>
    /// <param name="now">UTC.</param>
    /// <param name="random">From 0 to below 1.</param>
    public DateTime? NextAttempt(Failure failure, int retriesUsed, DateTime now, double random)
    {
        if (!failure.Kind.IsTransient || retriesUsed >= MaxRetries)
            return null;
        // A time that has passed already, by a clock that differs or a Retry-After of 0, is no reason to hurry.
        if (failure.RetryAt is { } at && at - now is var asked && asked >= ShortestStatedDelay)
            return at + Min(asked * Jitter, LongestLag) * random;
        var first = failure.Kind is FailureKind.GitHubRateLimited && firstDelay < UnstatedLimitDelay ? UnstatedLimitDelay : firstDelay;
        return now + first * Math.Min(Math.Pow(Growth, retriesUsed), LongestDelay / first) * (1 + Jitter * random);
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
