using System.Diagnostics;
using DataService.Benchmarks.Bench;
using DataService.Tests.Support;

namespace DataService.Tests.Reliability;

/// <summary>That the benchmarks do what they say. How fast anything is, no test asks.</summary>
public sealed class BenchmarksTests(PostgresCluster cluster)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("approve")]
    [InlineData("approve-latency")]
    [InlineData("growth")]
    [InlineData("round-trips")]
    [InlineData("requeue")]
    [InlineData("lists")]
    [InlineData("idle")]
    [InlineData("repository-time")]
    [InlineData("instances")]
    [InlineData("footprint")]
    [InlineData("sync")]
    public async Task One_that_cannot_run_says_why_and_exits_with_1(string name)
    {
        var nothing = Directory.CreateTempSubdirectory("dataservice-no-postgres-").FullName;
        try
        {
            var (exitCode, output, error) = await RunAsync(null, name, "--postgres", nothing);

            Assert.Equal(1, exitCode);
            Assert.Contains($"{name} cannot run: No PostgreSQL", error, StringComparison.Ordinal);
            Assert.Contains("processors", output, StringComparison.Ordinal);
            Assert.DoesNotContain("reached", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(nothing, recursive: true);
        }
    }

    [Theory]
    [InlineData("approve", "--rounds", "0")]
    [InlineData("approve-latency", "--seconds", "26")]
    [InlineData("growth", "--approvals", "9")]
    [InlineData("round-trips", "--approvals", "many")]
    [InlineData("requeue", "--count", "0")]
    [InlineData("lists", "--times", "0")]
    [InlineData("idle", "--seconds", "0")]
    [InlineData("repository-time", "--samples", "0")]
    [InlineData("instances", "--workers", "0")]
    [InlineData("footprint", "--starts", "51")]
    [InlineData("sync", "--tasks", "-1")]
    public async Task A_wrong_value_is_refused_before_anything_starts(string name, string option, string value)
    {
        var (exitCode, _, error) = await RunAsync(null, name, option, value);

        Assert.Equal(1, exitCode);
        Assert.Contains(value, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_approval_is_one_statement_to_the_database()
    {
        // The one with a PostgreSQL of its own, whose log it counts in.
        var (exitCode, output, error) = await RunAsync(
            Quick with { MakeDatabase = null }, "round-trips", "--approvals", "50", "--warm-up", "50");

        Assert.True(exitCode is 0, output + error);
        Assert.Contains("1.00 an approval: WITH asked AS", output, StringComparison.Ordinal);
        Assert.Contains("reached  statements of one approval", output, StringComparison.Ordinal);
        // All workers are held, so that nobody looks for a job.
        Assert.DoesNotContain("an approval: WITH known AS", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sync_in_which_nothing_changed_costs_nothing_of_GitHubs_limit()
    {
        var (exitCode, output, error) = await RunAsync(Quick, "sync", "--tasks", "500");

        Assert.True(exitCode is 0, output + error);
        Assert.Contains("cold: 6 calls, 6 count", output, StringComparison.Ordinal);
        Assert.Contains("nothing changed: 6 calls, 0 count", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Instances_that_share_a_database_do_each_creation_once()
    {
        var output = await MeasureAsync(
            "instances --jobs 12 --latency 5 --warm-up 1 --most 2",
            "12 creations", "1 of them", "2 of them", "creations a second, 2 instances of 1");

        Assert.Contains("reached  creations that were not run exactly once: 0", output, StringComparison.Ordinal);
        Assert.Contains("reached  repositories asked for more than once: 0", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "approve --rounds 1 --seconds 0.2 --warm-up 0 --projects 200",
        "round 1: pgbench", "approve, of the limit", "approve, of the plain wiring")]
    [InlineData(
        "approve-latency --rounds 1 --seconds 0.2 --rate 50 --warm-up 10",
        "GitHub hanging: ", "p99 with GitHub hanging, of p99 with GitHub answering at once")]
    [InlineData(
        "growth --approvals 20 --warm-up 5 --create",
        "up to 20: ", "repo_creations", "dead", "approvals a second, last tenth of the first")]
    [InlineData(
        "requeue --count 50 --warm-up 10 --created 20 --sample 5",
        "one by one", "50 jobs in", "in bulk, jobs/s", "memory of the service, last third", "memory of the client, last third")]
    [InlineData(
        "lists --failed 220 --created 30 --projects 250 --times 1",
        "first  /repo-creations?, p50", "last   /repo-creations?, p50", "middle /hangfire/repositories?state=failed, p50",
        "first  /hangfire/repositories?q=client, p50", "last   /projects?, p50", "first  /projects?q=client, p50", "first  /audit, p50")]
    [InlineData("idle --seconds 0.5 --warm-up 0.5", "plain Hangfire at its defaults", "transactions a second of an idle instance")]
    [InlineData("repository-time --samples 3 --pause 10", "3 approvals", "approve to repository, p50", "approve to repository, p95")]
    [InlineData(
        "footprint --approvals 50 --starts 1 --idle 0.1 --published {service}",
        "after 50 approvals", "start to ready, median", "resident memory idle", "resident memory, last step", "published folder")]
    public async Task Each_comes_to_its_figures_and_judges_them(string command, params string[] figures) =>
        await MeasureAsync(command, figures);

    [Fact]
    public void A_bar_is_judged_by_its_own_words()
    {
        using var output = new StringWriter();
        var report = new Report(output);
        report.AtLeast("half", 0.5, 0.5);
        report.AtMost("half", 0.5, 0.5);
        report.Above("half", 0.5, 0.4);
        report.Below("half", 0.5, 0.6);
        Assert.True(report.AllReached);

        Action[] misses =
        [
            () => report.AtLeast("half", 0.5, 0.6), () => report.AtMost("half", 0.5, 0.4), () => report.Above("half", 0.5, 0.5),
            () => report.Below("half", 0.5, 0.5),
        ];
        foreach (var miss in misses)
        {
            report = new Report(output);
            miss();
            Assert.False(report.AllReached);
        }

        Assert.Equal(
            """
            reached  half: 0.50, must be at least 0.50
            reached  half: 0.50, must be at most 0.50
            reached  half: 0.50, must be above 0.40
            reached  half: 0.50, must be below 0.60
            MISSED   half: 0.50, must be at least 0.60
            MISSED   half: 0.50, must be at most 0.40
            MISSED   half: 0.50, must be above 0.50
            MISSED   half: 0.50, must be below 0.50

            """, output.ToString());
    }

    /// <summary>A bed without the waiting: a database of the tests' PostgreSQL, and the service in this process.</summary>
    private BedOptions Quick => new() { MakeDatabase = MakeDatabaseAsync, Start = StartAsync };

    private async Task<string> MeasureAsync(string command, params string[] figures)
    {
        var folder = Path.GetDirectoryName(PublishedBuild.Assembly)!;
        string[] arguments = [.. command.Split(' ').Select(argument => argument.Replace("{service}", folder, StringComparison.Ordinal))];

        var (exitCode, output, error) = await RunAsync(Quick, arguments);

        Assert.All(figures, figure => Assert.True(output.Contains(figure, StringComparison.Ordinal), $"no '{figure}': {output}{error}"));
        var judged = output.Split('\n').Where(line => line.Contains(", must be ", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(judged);
        var missed = judged.Any(line => line.StartsWith("MISSED", StringComparison.Ordinal));
        Assert.True(exitCode == (missed ? 2 : 0), $"{exitCode}: {output}{error}");
        return output;
    }

    private async Task<string> MakeDatabaseAsync()
    {
        var database = await cluster.CreateDatabaseAsync();
        // Sealed under another token than the bed's: the framework tries to open it for two seconds.
        await PostgresCluster.QueryAsync<object>(database, "DELETE FROM data_protection_keys");
        return database;
    }

    private static async Task<ServiceRun> StartAsync(ServiceStart start, CancellationToken cancellationToken)
    {
        // What is not the service is a process as at the command line.
        if (start.Arguments is not [])
            return await ServiceRun.StartAsync(start, cancellationToken);
        var settings = start.Environment.ToDictionary(
            entry => entry.Key.Replace("__", ":", StringComparison.Ordinal), entry => entry.Value);
        settings["environment"] = start.Environment["ASPNETCORE_ENVIRONMENT"];
        var service = await ServiceInProcess.StartAsync(settings!, new LogCapture());
        return new ServiceRun(start, service.Address, Process.GetCurrentProcess(), service.DisposeAsync);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(BedOptions? bed, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await Benchmarks.Program.RunAsync(arguments, output, error, bed).WaitAsync(Cancelled);
        return (exitCode, output.ToString(), error.ToString());
    }
}
