using DataService.GitHub;
using Microsoft.Extensions.Time.Testing;

namespace DataService.Tests.GitHub;

public sealed class ContentPaceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<DateTimeOffset> _calls = [];

    [Fact]
    public async Task Calls_keep_their_distance()
    {
        using var pace = Pace();
        var calls = Enumerable.Range(0, 3).Select(_ => CallAsync(pace)).ToList();

        Assert.Single(_calls);
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.Single(_calls);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await calls[1];
        Assert.Equal(2, _calls.Count);
        _time.Advance(TimeSpan.FromSeconds(1));
        await Task.WhenAll(calls);

        Assert.Equal([0, 1, 2], _calls.Select(call => (call - _calls[0]).TotalSeconds));
    }

    [Fact]
    public async Task One_call_waits_for_the_end_of_the_other()
    {
        using var pace = Pace();
        var first = new TaskCompletionSource<int>();
        var running = pace.TakeTurnAsync(() => first.Task, TestContext.Current.CancellationToken);
        var second = CallAsync(pace);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(_calls);

        first.SetResult(0);
        await running;
        _time.Advance(TimeSpan.FromSeconds(1));
        await second;

        Assert.Single(_calls);
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_the_turn_to_the_next()
    {
        using var pace = Pace();
        await CallAsync(pace);
        using var impatience = new CancellationTokenSource();
        var impatient = pace.TakeTurnAsync(() => Task.FromResult(0), impatience.Token);
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);

        _time.Advance(TimeSpan.FromSeconds(1));
        await CallAsync(pace);

        Assert.Equal(2, _calls.Count);
    }

    private ContentPace Pace() => new(new GitHubOptions
    {
        Organization = "acme",
        ApiUrl = new Uri("https://github.test/"),
        Token = null,
        RequestTimeout = TimeSpan.FromSeconds(1),
        ContentInterval = TimeSpan.FromSeconds(1),
    }, _time);

    private Task<int> CallAsync(ContentPace pace) => pace.TakeTurnAsync(() =>
    {
        _calls.Add(_time.GetUtcNow());
        return Task.FromResult(0);
    }, TestContext.Current.CancellationToken);
}
