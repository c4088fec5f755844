using DataService.Tests.Support;

namespace DataService.Tests.GitHubSync;

public sealed class PushTurnsTests(PostgresCluster cluster) : GitHubSyncTest(cluster)
{
    protected override Dictionary<string, string?> Settings => new() { ["GitHub:ContentBudget"] = "25/1h" };

    [Fact]
    public async Task A_job_that_waits_for_its_turn_takes_it_once()
    {
        var slug = await ArrangeAsync(26);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.Accepted);

        await TurnIsAsync(set: true);
        await Service.JobReachesAsync("1", "Scheduled");
        await Service.QueryAsync<object>("UPDATE content_calls SET at = at - interval '1 hour'; UPDATE hangfire.set SET score = 0 WHERE key = 'schedule'");
        await Service.JobReachesAsync("1", "Succeeded");

        // What fails after that and is tried again has to ask for another one.
        await TurnIsAsync(set: false);
        Assert.Equal(26, Issues.Count);
    }

    private Task<bool> TurnIsAsync(bool set) => Eventually.ReturnsAsync(
        () => Service.QueryAsync<bool>("SELECT EXISTS (SELECT FROM hangfire.jobparameter WHERE name = 'Turn' AND nullif(value, 'null') IS NOT NULL)"),
        isSet => isSet == set,
        set ? "a turn to be reserved" : "the turn to be taken");
}
