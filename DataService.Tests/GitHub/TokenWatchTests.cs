using DataService.GitHub;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Microsoft.Extensions.Time.Testing;
using Serilog.Events;

namespace DataService.Tests.GitHub;

public sealed class TokenWatchTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task It_warns_daily_from_fourteen_days_before_the_expiry_whatever_GitHub_does_meanwhile()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        Service.GitHub.Token.Expires = DateTimeOffset.UtcNow.AddDays(15.5);
        using var watch = ActivatorUtilities.CreateInstance<TokenWatch>(Service.Services, time);
        await watch.StartAsync(Cancelled);

        await LooksAsync(time, 1);
        Assert.Empty(Warnings("expires in"));
        await LooksAsync(time, 2);
        Assert.Empty(Warnings("expires in"));
        await LooksAsync(time, 3);
        await WarnedAsync("expires in 13 days", 1);

        Service.Break(new FaultRule { Kind = FaultKind.Reset, Times = 1 });
        await LooksAsync(time, 4);
        await WarnedAsync("could not be asked", 1);
        // Within an hour, not a day.
        var before = time.GetUtcNow();
        await LooksAsync(time, 5);
        Assert.InRange(time.GetUtcNow() - before, TimeSpan.Zero, TimeSpan.FromHours(2));
        await WarnedAsync("expires in", 2);

        Service.GitHub.Token.Expires = DateTimeOffset.UtcNow.AddSeconds(-1);
        await LooksAsync(time, 6);
        await WarnedAsync("refuses GITHUB_TOKEN", 1);
        await watch.StopAsync(Cancelled);
        Assert.DoesNotContain(RunningService.GitHubToken, Service.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clock_of_GitHub_that_is_far_away_does_not_end_it()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        Service.Break(new FaultRule
        {
            Kind = FaultKind.Refuse,
            Status = 200,
            Body = """{ "login": "robot" }""",
            Headers = new Dictionary<string, string> { ["Date"] = "9999-12-31T23:59:59.9999999Z" },
        });
        using var watch = ActivatorUtilities.CreateInstance<TokenWatch>(Service.Services, time);
        await watch.StartAsync(Cancelled);

        await LooksAsync(time, 1);
        await LooksAsync(time, 2);

        await watch.StopAsync(Cancelled);
    }

    /// <summary>Lets time pass until the watch has asked so often, and has come to its next wait.</summary>
    private async Task LooksAsync(FakeTimeProvider time, int looks)
    {
        await Eventually.ReturnsAsync(
            () =>
            {
                var count = Service.GitHub.Requests.All.Count(request => request.Path == "/user");
                if (count < looks && looks > 1)
                    time.Advance(TimeSpan.FromMinutes(30));
                return Task.FromResult(count);
            },
            count => count >= looks, $"look {looks}");
        await Eventually.ReturnsAsync(
            () => Task.FromResult(Service.GitHub.Requests.All.Count(request => request is { Path: "/user", EndedAt: not null })), count => count >= looks, $"the answer of look {looks}");
    }

    /// <summary>GitHub has answered before the watch has read it.</summary>
    private Task<int> WarnedAsync(string text, int times) => Eventually.ReturnsAsync(
        () => Task.FromResult(Warnings(text).Count), count => count == times, $"{times} warnings of '{text}'");

    private List<LogEvent> Warnings(string text) => [.. Service.Logs.Events.Where(e => e.Level >= LogEventLevel.Warning && e.RenderMessage(null).Contains(text, StringComparison.Ordinal))];
}
