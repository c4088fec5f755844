using DataService.Domain;
using DataService.Jobs;

namespace DataService.Tests.Jobs;

public sealed class RetryPolicyTests
{
    private static readonly DateTime Now = new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc);
    private static readonly RetryPolicy Policy = new(RetryPolicy.DefaultFirstDelay);
    private static readonly Failure Unavailable = new(FailureKind.GitHubUnavailable, 502, "");
    private static readonly Failure Limited = new(FailureKind.GitHubRateLimited, 403, "");

    public static TheoryData<string> Permanent => [.. Enum.GetValues<FailureKind>().Where(kind => !kind.IsTransient).Select(kind => kind.ToString())];

    [Theory]
    [MemberData(nameof(Permanent))]
    public void A_permanent_failure_is_not_retried(string kind) =>
        Assert.Null(Policy.NextAttempt(new Failure(Enum.Parse<FailureKind>(kind), null, ""), 0, Now, 0));

    [Theory]
    [InlineData(0, 30)]
    [InlineData(1, 90)]
    [InlineData(2, 270)]
    [InlineData(6, 5 * 60 * 60)]
    [InlineData(9, 5 * 60 * 60)]
    public void A_transient_failure_is_retried_ever_later(int retriesUsed, int seconds) =>
        Assert.Equal(Now.AddSeconds(seconds), Policy.NextAttempt(Unavailable, retriesUsed, Now, 0));

    [Fact]
    public void Ten_retries_span_about_a_day()
    {
        var total = Enumerable.Range(0, RetryPolicy.MaxRetries).Sum(used => (Policy.NextAttempt(Unavailable, used, Now, 0.5)!.Value - Now).TotalHours);

        Assert.InRange(total, 20, 28);
    }

    [Fact]
    public void The_eleventh_retry_does_not_come() => Assert.Null(Policy.NextAttempt(Unavailable, RetryPolicy.MaxRetries, Now, 0));

    [Fact]
    public void Jitter_adds_up_to_a_fifth() => Assert.Equal(Now.AddSeconds(36), Policy.NextAttempt(Unavailable, 0, Now, 1));

    [Fact]
    public void A_time_that_GitHub_states_is_kept_and_lagged_behind_by_half_a_minute_at_most()
    {
        var stated = Limited with { RetryAt = Now.AddHours(1) };

        Assert.Equal(Now.AddHours(1), Policy.NextAttempt(stated, 5, Now, 0));
        Assert.Equal(Now.AddHours(1).AddSeconds(30), Policy.NextAttempt(stated, 5, Now, 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3600)]
    public void A_stated_time_that_has_passed_is_no_reason_to_hurry(int seconds) =>
        Assert.Equal(Now.AddSeconds(60), Policy.NextAttempt(Limited with { RetryAt = Now.AddSeconds(seconds) }, 0, Now, 0));

    [Theory]
    [InlineData(0, 60)]
    [InlineData(1, 180)]
    public void A_limit_without_a_time_waits_a_minute_and_then_longer(int retriesUsed, int seconds) =>
        Assert.Equal(Now.AddSeconds(seconds), Policy.NextAttempt(Limited, retriesUsed, Now, 0));
}
