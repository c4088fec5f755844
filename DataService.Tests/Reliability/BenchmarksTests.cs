using DataService.Data;

namespace DataService.Tests.Reliability;

/// <summary>That the benchmarks do what they say. How fast anything is, no test asks.</summary>
public sealed class BenchmarksTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("approve")]
    [InlineData("approve-latency")]
    [InlineData("round-trips")]
    [InlineData("footprint")]
    [InlineData("sync")]
    public async Task One_that_cannot_run_says_why_and_exits_with_1(string name)
    {
        var nothing = Directory.CreateTempSubdirectory("dataservice-no-postgres-").FullName;
        try
        {
            var (exitCode, output, error) = await RunAsync(name, "--postgres", nothing);

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
    [InlineData("round-trips", "--approvals", "many")]
    [InlineData("footprint", "--starts", "51")]
    [InlineData("sync", "--tasks", "-1")]
    public async Task A_wrong_value_is_refused_before_anything_starts(string name, string option, string value)
    {
        var (exitCode, _, error) = await RunAsync(name, option, value);

        Assert.Equal(1, exitCode);
        Assert.Contains(value, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_approval_is_one_statement_to_the_database()
    {
        var (exitCode, output, error) = await RunAsync("round-trips", "--approvals", "50");

        Assert.True(exitCode is 0, output + error);
        Assert.Contains("1.00 an approval: WITH approved AS", output, StringComparison.Ordinal);
        Assert.Contains("reached  statements of one approval", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sync_in_which_nothing_changed_costs_nothing_of_GitHubs_limit()
    {
        var (exitCode, output, error) = await RunAsync("sync", "--tasks", "500");

        Assert.True(exitCode is 0, output + error);
        Assert.Contains("cold: 5 calls, 5 count", output, StringComparison.Ordinal);
        Assert.Contains("nothing changed: 5 calls, 0 count", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_measurement_that_takes_time_comes_to_its_figures()
    {
        foreach (var arguments in (string[][])
            [
                ["approve", "--rounds", "1", "--seconds", "1", "--warm-up", "1"],
                ["approve-latency", "--rounds", "1", "--seconds", "1", "--rate", "10"],
                ["footprint", "--approvals", "50", "--starts", "1", "--published", Path.GetDirectoryName(typeof(DataServiceDbContext).Assembly.Location)!],
            ])
        {
            var (exitCode, output, error) = await RunAsync(arguments);

            Assert.True(exitCode is 0 or 2, $"{arguments[0]}: {output}{error}");
            Assert.Contains("must be at", output, StringComparison.Ordinal);
        }
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await Benchmarks.Program.RunAsync(arguments, output, error).WaitAsync(Cancelled);
        return (exitCode, output.ToString(), error.ToString());
    }
}
