using System.CommandLine;
using System.Globalization;
using DataService.Data;

namespace DataService.Benchmarks.Bench;

/// <summary>What every benchmark's command shares.</summary>
internal static class BenchmarkCommand
{
    /// <param name="name">What is typed.</param>
    /// <param name="description">What is measured, in a line.</param>
    /// <param name="options">Its own, beside those of all.</param>
    /// <param name="measure">Prints the figures, and returns whether every bar is reached.</param>
    public static Command Create(
        string name, string description, IReadOnlyList<Option> options, Func<ParseResult, BedOptions, Report, CancellationToken, Task> measure)
    {
        var postgres = new Option<string?>("--postgres") { Description = "the folder of PostgreSQL's programs, instead of the usual ones" };
        var logs = new Option<string?>("--logs") { Description = "a folder that keeps what the service prints" };
        var command = new Command(name, description) { postgres, logs };
        foreach (var option in options)
            command.Add(option);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var (output, error) = (arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
            var report = new Report(output);
            report.Note(Machine());
            try
            {
                await measure(arguments, new BedOptions(arguments.GetValue(postgres), arguments.GetValue(logs)), report, cancellationToken);
                return report.AllReached ? 0 : 2;
            }
            catch (Exception exception) when (exception is CannotRunException or EmbeddedPostgresException)
            {
                await error.WriteLineAsync($"{name} cannot run: {exception.Message}");
                return 1;
            }
        });
        return command;
    }

    /// <param name="name">What is typed.</param>
    /// <param name="description">What it is.</param>
    /// <param name="otherwise">Where it is not given.</param>
    /// <param name="most">From 1 to this.</param>
    public static Option<int> Number(string name, string description, int otherwise, int most)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            // What is no number has its own message.
            if (result.Errors.Any() || result.Tokens is not [var token] || !int.TryParse(token.Value, CultureInfo.InvariantCulture, out var value))
                return;
            if (value < 1 || value > most)
                result.AddError($"{name} must be from 1 to {most}, and is {value}.");
        });
        return option;
    }

    private static string Machine()
    {
#if DEBUG
        const string Build = "a DEBUG build, whose figures mean nothing";
#else
        const string Build = "a Release build";
#endif
        var load = File.Exists("/proc/loadavg") ? $", load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}" : "";
        return $"{Environment.ProcessorCount} processors{load}, .NET {Environment.Version}, {Build}";
    }
}
