using DataService.Tests.Support;

namespace DataService.Tests.GitHubSync;

public sealed class PushTurnsTests(PostgresCluster cluster) : GitHubSyncTest(cluster)
{
    /// <summary>Longer than a push sits out.</summary>
    protected override Dictionary<string, string?> Settings => new() { ["GitHub:ContentBudget"] = "25/4s" };

    [Fact]
    public async Task A_job_that_waits_for_its_turn_takes_it_once()
    {
        var slug = await ArrangeAsync(26);
        await (await PushAsync(slug)).ReadAsync(HttpStatusCode.Accepted);

        await TurnIsAsync(set: true);
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
