using System.Reflection;
using DataService.Domain;

namespace DataService.Tests.Domain;

/// <summary>Every change of a creation tells itself, once.</summary>
public sealed class CreationEventTests
{
    private static readonly DateTime Now = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
    private static readonly DateTime Later = Now.AddMinutes(1);
    private static readonly DateTime NextTime = Now.AddMinutes(5);
    private static readonly Failure Outage = new(FailureKind.GitHubUnavailable, 502, "Bad gateway.");
    private static readonly Failure Refused = new(FailureKind.GitHubForbidden, 403, "No.");

    private static readonly Dictionary<string, Action<RepoCreation>> Calls = new()
    {
        ["Enqueue"] = creation => creation.Enqueue("2", Later),
        ["Claim"] = creation => creation.Claim(Later),
        ["Release"] = creation => creation.Release(),
        ["BeginAttempt"] = creation => creation.BeginAttempt("2", Later, "acme"),
        ["Wait"] = creation => creation.Wait(WaitReason.Budget, NextTime, NextTime, "2", Later),
        ["Intend"] = creation => creation.Intend("acme-1a2b", Later),
        ["Retry"] = creation => creation.Retry(Outage, NextTime, Later),
        ["RetryIfCreating"] = creation => creation.RetryIfCreating(Outage, NextTime, Later),
        ["Fail"] = creation => creation.Fail(Refused, Later),
        ["FailIfLive"] = creation => creation.FailIfLive(Refused, Later),
        ["Rerun"] = creation => creation.Rerun("2", Later),
        ["Abandon"] = creation => creation.Abandon(Later),
        ["Succeed"] = creation => creation.Succeed(Later, "org/acme"),
        ["SettleByChoice"] = creation => creation.SettleByChoice(Later),
        ["Skip"] = creation => creation.Skip(Later),
        ["SkipUnlessRunning"] = creation => creation.SkipUnlessRunning(Later),
        ["StepAside"] = creation => creation.StepAside("2", Later),
    };

    /// <summary>Each line: a call, then what it tells from Queued, Creating, Retrying, Failed, Created, Skipped; - where it tells nothing.</summary>
    private const string Table = """
        Enqueue           Enqueued       Enqueued   Enqueued       Enqueued       Enqueued       Enqueued
        Claim             -              -          -              -              -              -
        Release           -              -          -              -              -              -
        BeginAttempt      AttemptStarted Rescued    AttemptStarted AttemptStarted AttemptStarted AttemptStarted
        Wait              Waiting        Waiting    Waiting        Waiting        Waiting        Waiting
        Intend            NameTaken      NameTaken  NameTaken      NameTaken      NameTaken      NameTaken
        Retry             Retrying       Retrying   Retrying       Retrying       Retrying       Retrying
        RetryIfCreating   -              Retrying   -              -              -              -
        Fail              Failed         Failed     Failed         Failed         Failed         Failed
        FailIfLive        Failed         Failed     Failed         -              -              -
        Rerun             Enqueued       Enqueued   Enqueued       Enqueued       -              Enqueued
        Abandon           Failed         Failed     Failed         -              -              -
        Succeed           Created        Created    Created        Created        Created        Created
        SettleByChoice    Skipped        Skipped    Skipped        Skipped        -              -
        Skip              Skipped        Skipped    Skipped        Skipped        Skipped        -
        SkipUnlessRunning Skipped        -          Skipped        Skipped        -              -
        StepAside         Superseded     Superseded Superseded     Superseded     Superseded     Superseded
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
    public void Each_call_tells_what_the_table_says_and_once(string call, string from, string told)
    {
        var creation = RepoCreationTests.Bring(new RepoCreation(Guid.NewGuid(), Now), Enum.Parse<RepoCreationState>(from));
        creation.Intend("acme", Now);
        var before = creation.Events.Count;

        Calls[call](creation);

        var events = creation.Events.Skip(before).ToList();
        if (told is "-")
        {
            Assert.Empty(events);
            return;
        }

        var only = Assert.Single(events);
        Assert.Equal((told, Later, creation.ProjectId, creation.JobId), (only.Kind.ToString(), only.At, only.ProjectId, only.JobId));
        Assert.False(string.IsNullOrWhiteSpace(only.Text));
    }

    [Fact]
    public void The_table_has_a_line_for_each_change_that_there_is()
    {
        var changes = typeof(RepoCreation).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(method => !method.IsSpecialName)
            .Select(method => method.Name).Order().ToList();

        Assert.Contains("BeginAttempt", changes);
        Assert.Equal(changes, Calls.Keys.Order());
        Assert.Equal(changes, Transitions().Select(row => row.Data.Item1).Distinct().Order());
    }

    [Fact]
    public void What_happens_in_an_attempt_bears_its_number_and_what_happens_outside_of_one_bears_none()
    {
        var creation = Started();
        creation.Fail(Refused, Later);
        creation.Enqueue("2", Later);
        creation.BeginAttempt("2", Later, "acme");
        creation.Retry(Outage, NextTime, Later);
        creation.Wait(WaitReason.Resume, NextTime, null, "2", Later);
        creation.BeginAttempt("2", Later, "acme");
        creation.Succeed(Later, "org/acme");

        Assert.Equal(
            [
                (CreationEventKind.Enqueued, null), (CreationEventKind.AttemptStarted, 1), (CreationEventKind.Failed, 1),
                (CreationEventKind.Enqueued, null), (CreationEventKind.AttemptStarted, 2), (CreationEventKind.Retrying, 2),
                (CreationEventKind.Waiting, null), (CreationEventKind.AttemptStarted, 3), (CreationEventKind.Created, 3),
            ],
            creation.Events.Select(e => (e.Kind, e.Attempt)));
    }

    [Fact]
    public void A_failure_is_told_whole()
    {
        var creation = Started();

        creation.Retry(Outage, NextTime, Later);

        var told = creation.Events.Last();
        Assert.Equal((FailureKind.GitHubUnavailable, 502, "Bad gateway.", NextTime), (told.Code, told.GithubStatus, told.Text, told.NextAt));
    }

    [Fact]
    public void An_attempt_after_one_that_never_ended_is_a_rescue()
    {
        var creation = Started();

        creation.BeginAttempt("1", Later, "acme");

        var told = creation.Events.Last();
        Assert.Equal((CreationEventKind.Rescued, 2), (told.Kind, told.Attempt));
        Assert.Contains("acme", told.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_wait_is_told_once_however_often_the_job_looks()
    {
        var creation = new RepoCreation(Guid.NewGuid(), Now);
        creation.Enqueue("1", Now);

        for (var look = 0; look < 10; look++)
            creation.Wait(WaitReason.Resume, NextTime.AddMinutes(look), null, "1", Later.AddMinutes(look));

        Assert.Equal([CreationEventKind.Enqueued, CreationEventKind.Waiting], Kinds(creation));
        Assert.Equal(NextTime, creation.Events.Last().NextAt);
    }

    [Fact]
    public void An_attempt_that_goes_on_and_waits_for_the_same_again_tells_nothing_new()
    {
        var creation = Started();
        for (var look = 0; look < 10; look++)
        {
            creation.Wait(WaitReason.Budget, NextTime, NextTime, "1", Later);
            creation.BeginAttempt("1", NextTime, "acme");
        }

        Assert.Equal([CreationEventKind.Enqueued, CreationEventKind.AttemptStarted, CreationEventKind.Waiting], Kinds(creation));
    }

    [Fact]
    public void A_wait_for_something_else_is_told_and_so_is_one_after_something_has_happened()
    {
        var creation = Started();

        creation.Wait(WaitReason.Budget, NextTime, NextTime, "1", Later);
        creation.Wait(WaitReason.Resume, NextTime, null, "1", Later);
        creation.Enqueue("2", Later);
        creation.Wait(WaitReason.Resume, NextTime, null, "2", Later);

        Assert.Equal(
            [CreationEventKind.Enqueued, CreationEventKind.AttemptStarted, CreationEventKind.Waiting, CreationEventKind.Waiting, CreationEventKind.Enqueued, CreationEventKind.Waiting],
            Kinds(creation));
    }

    [Fact]
    public void A_refusal_that_pauses_creation_is_told_with_the_wait_that_it_causes()
    {
        var creation = Started();

        creation.Wait(WaitReason.Resume, NextTime, null, "1", Later, Refused);

        var told = creation.Events.Last();
        Assert.Equal((CreationEventKind.Waiting, FailureKind.GitHubForbidden, 403, 1), (told.Kind, told.Code, told.GithubStatus, told.Attempt));
        Assert.StartsWith("No. ", told.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_name_is_not_taken_and_the_same_name_again_is_no_news()
    {
        var creation = Started();
        var before = creation.Events.Count;

        creation.Intend("acme", Later);
        creation.Intend("acme", Later);

        Assert.Equal(before, creation.Events.Count);
    }

    [Fact]
    public void A_repository_that_stood_there_already_is_adopted()
    {
        var creation = Started();

        creation.Succeed(Later, "org/acme", adopted: true);

        Assert.Equal((CreationEventKind.Adopted, "org/acme"), (creation.Events.Last().Kind, creation.Events.Last().Text));
    }

    [Fact]
    public void A_repository_that_was_created_beside_the_chosen_one_is_named()
    {
        var project = Project.Create("Acme", "acme", Now);
        project.TrackRepoCreation(Now).BeginAttempt("1", Now, "acme");
        project.ChooseRepository("someone/else", Now);

        project.LinkRepository("org/acme", 7, Later);

        var told = project.RepoCreation!.Events.Last();
        Assert.Equal(CreationEventKind.Skipped, told.Kind);
        Assert.Contains("org/acme", told.Text, StringComparison.Ordinal);
        Assert.Contains("someone/else", told.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_that_takes_the_place_of_another_names_it()
    {
        var creation = Started();
        creation.Retry(Outage, NextTime, Now);

        creation.Enqueue("2", Later);

        Assert.Contains("in place of job 1", creation.Events.Last().Text, StringComparison.Ordinal);
    }

    private static IEnumerable<CreationEventKind> Kinds(RepoCreation creation) => creation.Events.Select(e => e.Kind);

    private static RepoCreation Started()
    {
        var creation = new RepoCreation(Guid.NewGuid(), Now);
        creation.Enqueue("1", Now);
        creation.BeginAttempt("1", Now, "acme");
        return creation;
    }
}
