using DataService.Benchmarks.Chaos;

namespace DataService.Tests.Reliability;

public sealed class RescuesTests
{
    private static readonly DateTime Start = new(2026, 1, 5, 9, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_rescue_lasts_from_the_kill_to_the_jobs_next_state()
    {
        InstanceLife[] lives = [Life(1, ready: 0, killed: 12), Life(2, ready: 0)];

        var rescues = Rescues.Measure([Processing(10, by: 1), Processing(25, by: 2)], lives, []);

        Assert.Equal([TimeSpan.FromSeconds(13)], Waits(rescues));
        Assert.Equal(0, rescues.Abandoned);
    }

    [Fact]
    public void Time_in_which_the_database_was_down_or_no_instance_was_ready_does_not_count()
    {
        InstanceLife[] lives = [Life(1, ready: 0, killed: 12), Life(2, ready: 0, killed: 14), Life(3, ready: 17)];

        var rescues = Rescues.Measure([Processing(10, by: 1), Processing(25, by: 3)], lives, [new(At(16), At(19)), new(At(24), At(30))]);

        // Of 12 to 25: ready from 12 to 14 and from 17, up to 16, from 19 to 24 and from 30.
        Assert.Equal([TimeSpan.FromSeconds(2 + 5)], Waits(rescues));
    }

    [Fact]
    public void A_job_that_was_at_its_end_before_the_kill_needs_no_rescue()
    {
        JobState[] states = [Processing(10, by: 1), new(7, "shop", "Succeeded", At(11), Server: null)];

        Assert.Empty(Rescues.Measure(states, [Life(1, ready: 0, killed: 12), Life(2, ready: 0)], []).All);
    }

    [Fact]
    public void A_job_that_nobody_went_on_with_is_abandoned()
    {
        var rescues = Rescues.Measure([Processing(10, by: 1)], [Life(1, ready: 0, killed: 12), Life(2, ready: 0)], []);

        Assert.Equal(1, rescues.Abandoned);
        Assert.Empty(rescues.All);
    }

    [Fact]
    public void Another_process_that_had_the_same_number_before_was_not_the_one_killed()
    {
        InstanceLife[] lives = [Life(1, ready: 2, killed: 5), Life(1, ready: 9), Life(2, ready: 0)];

        var rescues = Rescues.Measure([Processing(10, by: 1), Processing(25, by: 2)], lives, []);

        Assert.Empty(rescues.All);
    }

    [Fact]
    public void The_longest_and_the_median_are_those_of_all_jobs()
    {
        InstanceLife[] lives = [Life(1, ready: 0, killed: 12), Life(2, ready: 0)];
        JobState[] states =
        [
            Processing(10, by: 1, job: 7), Processing(10, by: 1, job: 8), Processing(10, by: 1, job: 9),
            Processing(14, by: 2, job: 8), Processing(22, by: 2, job: 7), Processing(15, by: 2, job: 9),
        ];

        var rescues = Rescues.Measure(states, lives, []);

        Assert.Equal((TimeSpan.FromSeconds(3), (TimeSpan?)TimeSpan.FromSeconds(10)), (rescues.Median, rescues.Longest?.Wait));
    }

    private static IEnumerable<TimeSpan> Waits(Rescues rescues) => rescues.All.Select(rescue => rescue.Wait);

    private static DateTime At(double seconds) => Start.AddSeconds(seconds);

    private static JobState Processing(double at, int by, long job = 7) =>
        new(job, "shop", JobState.Processing, At(at), $"host:{by}:0f1e2d3c");

    private static InstanceLife Life(int processId, double ready, double? killed = null) => new(processId, At(ready - 2))
    {
        ReadyAt = At(ready),
        EndedAt = killed is { } end ? At(end) : null,
        Killed = killed is not null,
    };
}
