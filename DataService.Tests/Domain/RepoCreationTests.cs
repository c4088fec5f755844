using DataService.Domain;

namespace DataService.Tests.Domain;

public sealed class RepoCreationTests
{
    private static readonly DateTime Now = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
    private static readonly DateTime Later = Now.AddMinutes(1);
    private static readonly DateTime NextTime = Now.AddMinutes(5);
    private static readonly Failure Outage = new(FailureKind.GitHubUnavailable, 502, "Bad gateway.");
    private static readonly Failure Refused = new(FailureKind.GitHubForbidden, 403, "No.");
    private static readonly Failure NameTaken = new(FailureKind.GitHubRepoNameTaken, 422, "Taken.");

    private static readonly Dictionary<string, Action<RepoCreation>> Calls = new()
    {
        ["Enqueue"] = creation => creation.Enqueue("2", Later),
        ["BeginAttempt"] = creation => creation.BeginAttempt("2", Later),
        ["Intend"] = creation => creation.Intend("acme", Later),
        ["Wait"] = creation => creation.Wait(WaitReason.Budget, NextTime, NextTime, "2", Later),
        ["Retry"] = creation => creation.Retry(Outage, NextTime, Later),
        ["RetryIfCreating"] = creation => creation.RetryIfCreating(Outage, NextTime, Later),
        ["Fail"] = creation => creation.Fail(Refused, Later),
        ["FailIfLive"] = creation => creation.FailIfLive(Refused, Later),
        ["Abandon"] = creation => creation.Abandon(Later),
        ["Succeed"] = creation => creation.Succeed(Later),
        ["Skip"] = creation => creation.Skip(Later),
        ["SkipUnlessRunning"] = creation => creation.SkipUnlessRunning(Later),
    };

    /// <summary>Each line: a call, then the states that it leads to from Queued, Creating, Retrying, Failed, Created, Skipped; - where it does nothing.</summary>
    private const string Table = """
        Enqueue           Queued   Queued   Queued   Queued   Queued   Queued
        BeginAttempt      Creating Creating Creating Creating Creating Creating
        Intend            Queued   Creating Retrying Failed   Created  Skipped
        Wait              Queued   Queued   Retrying Queued   Queued   Queued
        Retry             Retrying Retrying Retrying Retrying Retrying Retrying
        RetryIfCreating   -        Retrying -        -        -        -
        Fail              Failed   Failed   Failed   Failed   Failed   Failed
        FailIfLive        Failed   Failed   Failed   -        -        -
        Abandon           Failed   Failed   Failed   -        -        -
        Succeed           Created  Created  Created  Created  Created  Created
        Skip              Skipped  Skipped  Skipped  Skipped  Skipped  Skipped
        SkipUnlessRunning Skipped  -        Skipped  Skipped  -        -
        """;

    public static TheoryData<string, string, string> Transitions()
    {
        var transitions = new TheoryData<string, string, string>();
        foreach (var line in Table.Split('\n'))
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            foreach (var state in Enum.GetValues<RepoCreationState>())
                transitions.Add(words[0], state.ToString(), words[1 + (int)state]);
        }

        return transitions;
    }

    [Theory]
    [MemberData(nameof(Transitions))]
    public void Each_call_leads_from_each_state_where_the_table_says(string call, string from, string to)
    {
        var creation = Bring(new RepoCreation(Guid.NewGuid(), Now), Enum.Parse<RepoCreationState>(from));

        Calls[call](creation);

        Assert.Equal(to is "-" ? from : to, creation.State.ToString());
        Assert.Equal(to is "-" ? Now : Later, creation.UpdatedAt);
    }

    [Fact]
    public void The_table_has_a_line_for_each_call() =>
        Assert.Equal(Calls.Keys.Order(), Transitions().Select(row => row.Data.Item1).Distinct().Order());

    [Theory]
    [InlineData(nameof(RepoCreationState.Queued), true)]
    [InlineData(nameof(RepoCreationState.Creating), true)]
    [InlineData(nameof(RepoCreationState.Retrying), true)]
    [InlineData(nameof(RepoCreationState.Failed), false)]
    [InlineData(nameof(RepoCreationState.Created), false)]
    [InlineData(nameof(RepoCreationState.Skipped), false)]
    public void A_creation_is_live_while_a_job_is_expected_to_go_on(string state, bool live) =>
        Assert.Equal(live, Bring(new RepoCreation(Guid.NewGuid(), Now), Enum.Parse<RepoCreationState>(state)).IsLive);

    [Fact]
    public void A_failure_is_shown_whole_and_goes_with_the_next_state()
    {
        var creation = Started();

        creation.Fail(Refused, Later);

        Assert.Equal((FailureKind.GitHubForbidden, 403, "No."), (creation.ErrorCode, creation.GithubStatus, creation.GithubError));
        Assert.Null(creation.NextAttemptAt);
        creation.Enqueue("2", Later);
        Assert.Equal((null, null, null), (creation.ErrorCode, creation.GithubStatus, creation.GithubError));
    }

    [Fact]
    public void A_retry_shows_its_reason_and_its_time_until_it_starts()
    {
        var creation = Started();

        creation.Retry(Outage, NextTime, Later);

        Assert.Equal((FailureKind.GitHubUnavailable, 502, "Bad gateway."), (creation.ErrorCode, creation.GithubStatus, creation.GithubError));
        Assert.Equal(NextTime, creation.NextAttemptAt);
        creation.BeginAttempt("1", Later);
        Assert.Null(creation.NextAttemptAt);
        Assert.Null(creation.ErrorCode);
    }

    [Fact]
    public void Attempts_count_executions_over_all_re_runs_and_retries_only_the_automatic_ones_since_the_last()
    {
        var creation = new RepoCreation(Guid.NewGuid(), Now);
        creation.Enqueue("1", Now);
        Assert.Equal((0, 0), (creation.Attempts, creation.Retries));

        creation.BeginAttempt("1", Now);
        creation.Retry(Outage, NextTime, Now);
        creation.BeginAttempt("1", Now);
        creation.Retry(Outage, NextTime, Now);
        creation.BeginAttempt("1", Now);
        Assert.Equal((3, 2), (creation.Attempts, creation.Retries));

        creation.Fail(Refused, Now);
        Assert.Equal((3, 2), (creation.Attempts, creation.Retries));
        creation.Enqueue("2", Now);
        Assert.Equal((3, 0), (creation.Attempts, creation.Retries));
        creation.BeginAttempt("2", Now);
        Assert.Equal((4, 0), (creation.Attempts, creation.Retries));
        Assert.Equal("2", creation.JobId);
    }

    [Theory]
    [InlineData(nameof(RepoCreationState.Failed), 0)]
    [InlineData(nameof(RepoCreationState.Created), 0)]
    [InlineData(nameof(RepoCreationState.Skipped), 0)]
    [InlineData(nameof(RepoCreationState.Retrying), 2)]
    [InlineData(nameof(RepoCreationState.Creating), 1)]
    public void An_execution_that_starts_from_a_settled_state_has_a_full_set_of_retries(string state, int retries)
    {
        var creation = Started();
        creation.Retry(Outage, NextTime, Now);
        Bring(creation, Enum.Parse<RepoCreationState>(state));

        creation.BeginAttempt("1", Later);

        Assert.Equal(retries, creation.Retries);
    }

    [Fact]
    public void A_retry_that_is_run_by_hand_has_a_full_set_of_retries()
    {
        var creation = Started();
        creation.Retry(Outage, NextTime, Now);

        creation.Enqueue("2", Later);

        Assert.Equal(0, creation.Retries);
    }

    [Fact]
    public void Waiting_spends_no_attempt_and_shows_what_it_waits_for()
    {
        var creation = new RepoCreation(Guid.NewGuid(), Now);
        creation.Enqueue("1", Now);

        creation.Wait(WaitReason.Budget, NextTime, NextTime, "1", Later);

        Assert.Equal((0, 0, WaitReason.Budget, NextTime), (creation.Attempts, creation.Retries, creation.WaitsFor, creation.NextAttemptAt));
        creation.BeginAttempt("1", NextTime);
        Assert.Equal((1, null, null, NextTime), (creation.Attempts, creation.WaitsFor, creation.NextAttemptAt, creation.AttemptStartedAt));
    }

    [Fact]
    public void An_attempt_that_waited_in_its_middle_goes_on_as_the_same_one()
    {
        var creation = Started();
        creation.Intend("acme-1a2b", Later);

        creation.Wait(WaitReason.Budget, NextTime, NextTime, "1", Later);
        creation.BeginAttempt("1", NextTime);

        Assert.Equal((1, Now, "acme-1a2b"), (creation.Attempts, creation.AttemptStartedAt, creation.RepositoryName));
    }

    [Fact]
    public void An_attempt_after_one_that_died_is_another_one()
    {
        var creation = Started();

        creation.BeginAttempt("1", Later);

        Assert.Equal((2, Later), (creation.Attempts, creation.AttemptStartedAt));
    }

    [Fact]
    public void A_retry_that_waits_keeps_its_reason_to_be_seen()
    {
        var creation = Started();
        creation.Retry(Outage, NextTime, Now);

        creation.Wait(WaitReason.Resume, NextTime.AddHours(1), null, "1", Later);

        Assert.Equal((FailureKind.GitHubUnavailable, "Bad gateway.", 1), (creation.ErrorCode, creation.GithubError, creation.Retries));
        Assert.Equal((WaitReason.Resume, NextTime.AddHours(1)), (creation.WaitsFor, creation.NextAttemptAt));
    }

    [Fact]
    public void Each_run_has_a_number_of_its_own_and_a_lease_that_only_it_ends()
    {
        var creation = Started();

        var first = creation.Claim(Later);
        creation.Enqueue("2", Later);
        Assert.Equal(Later, creation.LeaseUntil);
        creation.Release();

        Assert.Null(creation.LeaseUntil);
        Assert.Equal(first + 1, creation.Claim(NextTime));
    }

    [Fact]
    public void An_intended_name_outlives_failures_and_re_runs()
    {
        var creation = Started();

        creation.Intend("acme-1a2b", Later);
        creation.Retry(Outage, NextTime, Later);
        creation.BeginAttempt("1", Later);
        creation.Fail(Refused, Later);
        creation.Enqueue("2", Later);

        Assert.Equal("acme-1a2b", creation.RepositoryName);
    }

    [Fact]
    public void A_taken_suffixed_name_is_forgotten_so_that_a_re_run_draws_another()
    {
        var creation = Started();
        creation.Intend("acme-1a2b", Now);

        creation.Fail(NameTaken, Later);

        Assert.Null(creation.RepositoryName);
    }

    [Fact]
    public void A_deleted_job_leaves_a_failure_that_says_so()
    {
        var creation = Started();

        creation.Abandon(Later);

        Assert.Equal(RepoCreationState.Failed, creation.State);
        Assert.Contains("deleted", creation.GithubError, StringComparison.Ordinal);
        Assert.Null(creation.ErrorCode);
    }

    /// <summary>Brings a creation to the state by its own transitions, all at its last time of change.</summary>
    internal static RepoCreation Bring(RepoCreation creation, RepoCreationState state)
    {
        var now = creation.UpdatedAt;
        switch (state)
        {
            case RepoCreationState.Queued: creation.Enqueue("1", now); break;
            case RepoCreationState.Creating: creation.BeginAttempt("1", now); break;
            case RepoCreationState.Retrying: creation.Retry(Outage, NextTime, now); break;
            case RepoCreationState.Failed: creation.Fail(Refused, now); break;
            case RepoCreationState.Created: creation.Succeed(now); break;
            case RepoCreationState.Skipped: creation.Skip(now); break;
            default: throw new ArgumentOutOfRangeException(nameof(state), state, null);
        }

        return creation;
    }

    private static RepoCreation Started()
    {
        var creation = new RepoCreation(Guid.NewGuid(), Now);
        creation.Enqueue("1", Now);
        creation.BeginAttempt("1", Now);
        return creation;
    }
}
