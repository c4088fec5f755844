using System.Diagnostics;
using DataService.Data;
using DataService.Tests.Support;

namespace DataService.Tests.Data;

public sealed class GroupCommitTests
{
    private readonly List<Group> _groups = [];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_asked_for_alone_goes_at_once()
    {
        var commits = Make(atOnce: 1);

        var answer = commits.CommitAsync("a", Cancelled);

        Assert.Equal(["a"], Assert.Single(_groups).Members);
        Assert.Equal(0, commits.Waiting);
        _groups[0].Answer();
        Assert.Equal("A", await answer);
    }

    [Fact]
    public async Task What_is_asked_for_meanwhile_goes_together_and_each_gets_its_own_answer()
    {
        var commits = Make(atOnce: 1);
        var first = commits.CommitAsync("a", Cancelled);
        Task<string>[] others = [commits.CommitAsync("b", Cancelled), commits.CommitAsync("c", Cancelled), commits.CommitAsync("d", Cancelled)];
        Assert.Single(_groups);
        Assert.Equal(3, commits.Waiting);

        _groups[0].Answer();
        await first;

        Assert.Equal(["b", "c", "d"], (await SecondAsync()).Members);
        _groups[1].Answer();
        Assert.Equal(["B", "C", "D"], await Task.WhenAll(others));
    }

    [Fact]
    public async Task The_traces_of_the_others_lead_to_that_of_the_first()
    {
        using var source = new ActivitySource(nameof(GroupCommitTests));
        using var listener = new ActivityListener
        {
            ShouldListenTo = heard => heard == source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var commits = Make(atOnce: 1);
        var before = commits.CommitAsync("a", Cancelled);
        var spans = new List<Activity>();
        var others = new List<Task<string>>();
        foreach (var member in (string[])["b", "c", "d"])
        {
            Activity.Current = null;
            spans.Add(source.StartActivity("request", ActivityKind.Server)!);
            others.Add(commits.CommitAsync(member, Cancelled));
        }

        _groups[0].Answer();
        await before;
        await SecondAsync();
        _groups[1].Answer();
        await Task.WhenAll(others);

        Assert.Equal(3, spans.Select(span => span.TraceId).Distinct().Count());
        Assert.Empty(spans[0].Links);
        Assert.All(spans[1..], span => Assert.Equal(spans[0].Context, Assert.Single(span.Links).Context));
    }

    [Fact]
    public async Task No_more_groups_are_under_way_than_allowed_and_none_has_more_members()
    {
        var commits = Make(atOnce: 2, most: 3);
        var answers = Enumerable.Range(0, 12).Select(i => commits.CommitAsync($"m{i}", Cancelled)).ToArray();
        Assert.Equal(2, _groups.Count);

        for (var i = 0; i < 6; i++)
        {
            await Eventually.ReturnsAsync(() => Task.FromResult(_groups.Count), count => count > i, "the next group");
            Assert.InRange(_groups.Count(group => !group.IsAnswered), 1, 2);
            _groups[i].Answer();
            if (Array.TrueForAll(answers, answer => answer.IsCompleted))
                break;
        }

        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"M{i}"), await Task.WhenAll(answers));
        Assert.Equal([1, 1, 3, 3, 3, 1], _groups.Select(group => group.Members.Count));
    }

    [Fact]
    public async Task A_failure_goes_to_each_of_the_group_and_the_next_one_goes_on()
    {
        var commits = Make(atOnce: 1);
        var first = commits.CommitAsync("a", Cancelled);
        var (b, c) = (commits.CommitAsync("b", Cancelled), commits.CommitAsync("c", Cancelled));
        _groups[0].Answer();
        await first;
        await SecondAsync();

        _groups[1].Fail(new TimeoutException());

        await Assert.ThrowsAsync<TimeoutException>(() => b);
        await Assert.ThrowsAsync<TimeoutException>(() => c);
        var last = commits.CommitAsync("d", Cancelled);
        await Eventually.ReturnsAsync(() => Task.FromResult(_groups.Count), count => count is 3, "the next group");
        _groups[2].Answer();
        Assert.Equal("D", await last);
    }

    [Fact]
    public async Task Who_gives_up_while_waiting_is_left_out_and_whose_group_is_under_way_is_not()
    {
        var commits = Make(atOnce: 1);
        using var gone = new CancellationTokenSource();
        var underWay = commits.CommitAsync("a", gone.Token);
        var waiting = commits.CommitAsync("b", gone.Token);
        var staying = commits.CommitAsync("c", Cancelled);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => underWay);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        _groups[0].Answer();
        Assert.Equal(["c"], (await SecondAsync()).Members);
        _groups[1].Answer();
        Assert.Equal("C", await staying);
    }

    [Fact]
    public async Task When_all_who_wait_have_given_up_the_next_one_goes_at_once()
    {
        var commits = Make(atOnce: 1);
        using var gone = new CancellationTokenSource();
        var first = commits.CommitAsync("a", Cancelled);
        var waiting = commits.CommitAsync("b", gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        _groups[0].Answer();
        await first;
        await Eventually.ReturnsAsync(() => Task.FromResult(commits.Waiting), count => count is 0, "nobody to wait");

        var last = commits.CommitAsync("c", Cancelled);

        Assert.Equal(["c"], (await SecondAsync()).Members);
        _groups[1].Answer();
        Assert.Equal("C", await last);
    }

    [Fact]
    public async Task A_group_runs_in_the_context_of_its_first_member()
    {
        var current = new AsyncLocal<string?>();
        List<string?> seen = [];
        var gate = new TaskCompletionSource();
        var commits = new GroupCommit<string, string>(1, 10, async members =>
        {
            seen.Add(current.Value);
            await gate.Task;
            seen.Add(current.Value);
            return [.. members];
        });

        Task<string> Ask(string name)
        {
            current.Value = name;
            return commits.CommitAsync(name, Cancelled);
        }

        Task<string>[] answers = [Ask("first"), Ask("second"), Ask("third")];
        current.Value = "somebody else";
        gate.SetResult();
        await Task.WhenAll(answers);

        Assert.Equal(["first", "first", "second", "second"], seen);
    }

    private async Task<Group> SecondAsync()
    {
        await Eventually.ReturnsAsync(() => Task.FromResult(_groups.Count), count => count >= 2, "the second group");
        return _groups[1];
    }

    private GroupCommit<string, string> Make(int atOnce, int most = 10) => new(atOnce, most, members =>
    {
        lock (_groups)
        {
            _groups.Add(new Group(members));
            return _groups[^1].Task;
        }
    });

    /// <summary>A group that the database is at.</summary>
    private sealed class Group(IReadOnlyList<string> members)
    {
        private readonly TaskCompletionSource<IReadOnlyList<string>> _answers = new();

        public IReadOnlyList<string> Members => members;

        public Task<IReadOnlyList<string>> Task => _answers.Task;

        public bool IsAnswered => _answers.Task.IsCompleted;

        public void Answer() => _answers.SetResult([.. members.Select(member => member.ToUpperInvariant())]);

        public void Fail(Exception exception) => _answers.SetException(exception);
    }
}
