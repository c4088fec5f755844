using DataService.Benchmarks.Chaos;
using DataService.Tests.Support;

namespace DataService.Tests.Reliability;

/// <summary>A short run of what <c>scripts/chaos</c> runs for as long as one likes, on a database cluster of its own.</summary>
public sealed class ChaosTests
{
    [Fact]
    public async Task Half_a_minute_of_kills_crashes_and_faults_leaves_every_acknowledged_approval_with_exactly_one_repository()
    {
        var options = new ChaosOptions
        {
            Duration = TimeSpan.FromSeconds(30),
            Seed = 4,
            Rate = 2,
            Assembly = PublishedBuild.Assembly,
            TemporaryFolder = Environment.GetEnvironmentVariable("DATASERVICE_TEST_FOLDER") ?? Path.GetTempPath(),
        };

        var report = await new ChaosRun(options, TextWriter.Null).RunAsync(TestContext.Current.CancellationToken);

        TestContext.Current.TestOutputHelper?.WriteLine(report.ToString());
        Assert.True(report.IsClean, report.ToString());
        Assert.True(report.Settled is not null && report.Abandoned is 0, report.ToString());
        // Without these it would prove nothing.
        Assert.True(report.Approvals > 5, report.ToString());
        Assert.True(report is { Kills: > 0, DatabaseRestarts: 2, FaultsMet: > 0, Strangers: > 0 }, report.ToString());
        Assert.True(report.CreationsAsked >= report.Approvals, report.ToString());
    }
}
