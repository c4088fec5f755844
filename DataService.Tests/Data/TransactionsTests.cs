using DataService.Tests.Support;

namespace DataService.Tests.Data;

/// <summary>The connection breaks after the commit and before its answer: the caller sees what was done, and it is done once.</summary>
public sealed class TransactionsTests(PostgresCluster cluster)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_committed_without_an_answer_is_not_done_twice()
    {
        await using var relay = new PostgresRelay(await cluster.CreateDatabaseAsync());
        await using var service = await RunningService.StartAsync(relay.ConnectionString, replace: StoredCreations.WithoutWorkers);
        var slug = await service.CreateProjectAsync("Lost commit");
        await service.ApproveAsync(slug);

        relay.LoseAnswerTo("A task to lose");
        await (await service.Http.PostAsJsonAsync($"/projects/{slug}/tasks", new { title = "A task to lose" }, Cancelled)).ReadAsync(HttpStatusCode.Created);
        relay.LoseAnswerTo("A message to lose");
        await (await service.Http.PostAsJsonAsync($"/projects/{slug}/messages", new { role = "user", content = "A message to lose" }, Cancelled)).ReadAsync(HttpStatusCode.Created);
        relay.LoseAnswerTo("A spec to lose");
        await (await service.Http.PutAsJsonAsync($"/projects/{slug}/spec", new { contentMarkdown = "A spec to lose" }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        relay.LoseAnswerTo(slug);
        await (await service.Http.PutAsJsonAsync($"/projects/{slug}/status", new { status = "active" }, Cancelled)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(4, relay.Lost);
        Assert.Equal(
            "1 1 1 active",
            await service.QueryAsync<string>(
                "SELECT concat_ws(' ', (SELECT count(*) FROM tasks), (SELECT count(*) FROM messages), (SELECT count(*) FROM specs), (SELECT status FROM projects))"));

        relay.LoseAnswerTo(slug);
        var deleted = await service.Http.DeleteAsync($"/projects/{slug}", Cancelled);

        Assert.Equal((HttpStatusCode.NoContent, 5, 0L), (deleted.StatusCode, relay.Lost, await service.QueryAsync<long>("SELECT count(*) FROM projects")));
    }
}
