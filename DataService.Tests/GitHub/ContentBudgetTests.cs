using DataService.Data;
using DataService.GitHub;
using DataService.Tests.Support;

namespace DataService.Tests.GitHub;

/// <summary>The budget that all instances share, on the real database.</summary>
public sealed class ContentBudgetTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    protected override Dictionary<string, string?> Settings => new() { ["GitHub:ContentBudget"] = "2/1h" };

    [Fact]
    public async Task Calls_are_let_through_until_the_budget_is_used_up_and_then_told_when_to_come_back()
    {
        Assert.Null((await TakeAsync()).WaitUntil);
        Assert.Null((await TakeAsync()).WaitUntil);

        var third = await TakeAsync();

        var first = await Service.QueryAsync<DateTime>("SELECT min(at) FROM content_calls");
        Assert.Equal(first.AddHours(1), third.WaitUntil);
        Assert.Equal(2L, await Service.QueryAsync<long>("SELECT count(*) FROM content_calls"));
    }

    [Fact]
    public async Task Those_who_wait_get_turns_one_after_the_other_and_newcomers_stand_behind_them()
    {
        await TakeAsync();
        await TakeAsync();

        var turns = new List<DateTime>();
        for (var i = 0; i < 3; i++)
            turns.Add((await TakeAsync()).WaitUntil!.Value);

        Assert.Equal([turns[0], turns[0].AddMinutes(30), turns[0].AddMinutes(60)], turns);
    }

    [Fact]
    public async Task A_reserved_turn_that_has_come_is_taken_before_newcomers()
    {
        await TakeAsync();
        await TakeAsync();
        var reserved = (await TakeAsync()).WaitUntil!.Value;
        await LetTimePassAsync(TimeSpan.FromHours(1));

        // The queue reaches beyond now, so a newcomer waits although there is room.
        var newcomer = await TakeAsync();
        var owner = await TakeAsync(reserved - TimeSpan.FromHours(1));

        Assert.NotNull(newcomer.WaitUntil);
        Assert.Null(owner.WaitUntil);
    }

    [Fact]
    public async Task A_turn_is_checked_again_when_it_has_come()
    {
        await TakeAsync();
        await TakeAsync();

        var early = await TakeAsync(DateTime.UtcNow);

        Assert.NotNull(early.WaitUntil);
        Assert.Equal(2L, await Service.QueryAsync<long>("SELECT count(*) FROM content_calls"));
    }

    [Fact]
    public async Task Of_many_at_once_on_several_instances_no_more_get_through_than_the_budget_allows()
    {
        var turns = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TakeAsync()));

        Assert.Equal(2, turns.Count(turn => turn.WaitUntil is null));
        Assert.Equal(18, turns.Select(turn => turn.WaitUntil).OfType<DateTime>().Distinct().Count());
    }

    [Fact]
    public async Task What_is_older_than_every_period_is_forgotten()
    {
        await TakeAsync();
        await LetTimePassAsync(TimeSpan.FromHours(2));

        Assert.Null((await TakeAsync()).WaitUntil);

        Assert.Equal(1L, await Service.QueryAsync<long>("SELECT count(*) FROM content_calls"));
    }

    [Fact]
    public async Task A_limit_of_GitHubs_stops_everyone_until_its_end_and_one_without_an_end_lasts_twice_as_long_each_time()
    {
        var ends = new List<TimeSpan>();
        for (var i = 0; i < 3; i++)
        {
            await LimitAsync(null);
            var turn = await TakeAsync();
            ends.Add(turn.WaitUntil!.Value - turn.Now);
            await Service.QueryAsync<int>("UPDATE github_quotas SET limited_until = NULL, next_turn_at = NULL");
        }

        Assert.Equal([1, 2, 4], ends.Select(end => (int)Math.Round(end.TotalMinutes)));
    }

    [Fact]
    public async Task Calls_that_were_under_way_when_the_limit_came_do_not_lengthen_it()
    {
        await LimitAsync(null);
        await LimitAsync(null);
        await LimitAsync(null);

        var turn = await TakeAsync();

        Assert.Equal(1, Math.Round((turn.WaitUntil!.Value - turn.Now).TotalMinutes));
    }

    [Fact]
    public async Task A_stated_end_is_kept_to_the_moment_and_a_shorter_one_does_not_cut_it()
    {
        var end = DateTime.UtcNow.AddMinutes(10);
        end = end.AddTicks(-(end.Ticks % TimeSpan.TicksPerSecond));
        await LimitAsync(end);
        await LimitAsync(end.AddMinutes(-5));

        Assert.Equal(end, (await TakeAsync()).WaitUntil);
    }

    private async Task<Turn> TakeAsync(DateTime? reserved = null)
    {
        await using var scope = Service.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DataServiceDbContext>();
        return await db.InTransactionAsync(token => Budget.TakeAsync(db, reserved, token), Cancelled);
    }

    private async Task LimitAsync(DateTime? until)
    {
        await using var scope = Service.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DataServiceDbContext>();
        await db.InTransactionAsync(async token =>
        {
            var quota = await Budget.LockAsync(db, token);
            quota.Limit(until, await db.ClockAsync(token));
            return quota;
        }, Cancelled);
    }

    private Task<int> LetTimePassAsync(TimeSpan time) =>
        Service.QueryAsync<int>($"UPDATE content_calls SET at = at - interval '{time}'");

    private ContentBudget Budget => Service.Services.GetRequiredService<ContentBudget>();
}
