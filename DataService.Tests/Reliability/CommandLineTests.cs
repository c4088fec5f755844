namespace DataService.Tests.Reliability;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData]
    [InlineData("havoc")]
    public async Task Without_a_known_command_the_usage_is_printed_and_the_exit_code_is_1(params string[] arguments)
    {
        var (exitCode, output, error) = await RunAsync(arguments);

        Assert.Equal(1, exitCode);
        Assert.Contains("Usage:", output, StringComparison.Ordinal);
        Assert.NotEmpty(error);
    }

    [Theory]
    [InlineData("--help", "chaos")]
    [InlineData("chaos --help", "--duration")]
    [InlineData("seed --help", "--embedded")]
    [InlineData("requeue --help", "--count")]
    [InlineData("lists --help", "--projects")]
    public async Task Help_is_no_failure(string arguments, string shown)
    {
        var (exitCode, output, _) = await RunAsync(arguments.Split(' '));

        Assert.Equal(0, exitCode);
        Assert.Contains(shown, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--duration", "ten")]
    [InlineData("--duration", "0s")]
    [InlineData("--duration", "10")]
    [InlineData("--rate", "0")]
    [InlineData("--seed", "x")]
    public async Task A_wrong_value_is_refused_before_anything_starts(string option, string value)
    {
        var (exitCode, _, error) = await RunAsync("chaos", option, value);

        Assert.Equal(1, exitCode);
        Assert.Contains(value, error, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        return (await Benchmarks.Program.RunAsync(arguments, output, error), output.ToString(), error.ToString());
    }
}
