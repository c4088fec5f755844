using System.CommandLine;
using System.Globalization;
using DataService.Benchmarks.Seeding;
using DataService.Data;
using Npgsql;

namespace DataService.Benchmarks.Bench;

/// <summary>What every benchmark's command shares.</summary>
internal static class BenchmarkCommand
{
    /// <param name="name">What is typed.</param>
    /// <param name="description">What is measured, in a line.</param>
    /// <param name="options">Its own, beside those of all.</param>
    /// <param name="measure">Measures on a bed of its own, and reports.</param>
    /// <returns>Ends with 0 where every bar is reached, 2 where one is missed, 1 where it cannot run, which it says.</returns>
    public static Command Create(
        string name, string description, IReadOnlyList<Option> options, Func<ParseResult, Bed, Report, CancellationToken, Task> measure)
    {
        var postgres = new Option<string?>("--postgres") { Description = "the folder of PostgreSQL's programs, instead of the usual ones" };
        var logs = new Option<string?>("--logs") { Description = "a folder that keeps what the service prints" };
        var command = new Command(name, description) { postgres, logs };
        foreach (var option in options)
            command.Add(option);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var configuration = arguments.InvocationConfiguration;
            var bedOptions = ((BenchmarkInvocation)configuration).Bed with
            {
                PostgresFolder = arguments.GetValue(postgres),
                LogFolder = arguments.GetValue(logs),
                Progress = configuration.Error,
            };
            var report = new Report(configuration.Output);
            report.Note(Machine());
            try
            {
                await using var bed = await Bed.MakeAsync(bedOptions, cancellationToken);
                await measure(arguments, bed, report, cancellationToken);
                return report.AllReached ? 0 : 2;
            }
            catch (Exception exception) when (IsReason(exception) || IsTimeout(exception, cancellationToken))
            {
                await configuration.Error.WriteLineAsync($"{name} cannot run: {exception.Message}");
                return 1;
            }
        });
        return command;
    }

    /// <param name="name">What is typed.</param>
    /// <param name="description">What it is.</param>
    /// <param name="otherwise">Where it is not given.</param>
    /// <param name="most">The largest.</param>
    /// <param name="least">The smallest.</param>
    public static Option<int> Number(string name, string description, int otherwise, int most, int least = 1)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            // What is no number has its own message.
            if (result.Errors.Any() || result.Tokens is not [var token])
                return;
            if (int.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) && (value < least || value > most))
                result.AddError($"{name} must be from {least} to {most}, and is {value}.");
        });
        return option;
    }

    /// <param name="name">What is typed.</param>
    /// <param name="description">What it is.</param>
    /// <param name="otherwise">Where it is not given.</param>
    /// <param name="most">The longest.</param>
    /// <param name="least">The shortest.</param>
    public static Option<double> Seconds(string name, string description, double otherwise, double most, double least = 0.1)
    {
        var option = new Option<double>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Errors.Any() || result.Tokens is not [var token])
                return;
            if (double.TryParse(token.Value, CultureInfo.InvariantCulture, out var value) && !(value >= least && value <= most))
                result.AddError($"{name} must be from {least} to {most} seconds, and is {token.Value}.");
        });
        return option;
    }

    private static bool IsReason(Exception exception) => exception is CannotRunException or NotSeededException or EmbeddedPostgresException
        or NpgsqlException or HttpRequestException or TimeoutException;

    /// <summary>Of a client that waited too long: nobody asked to stop.</summary>
    private static bool IsTimeout(Exception exception, CancellationToken cancellationToken) =>
        exception is OperationCanceledException && !cancellationToken.IsCancellationRequested;

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

/// <summary>A call, with what its bed is made of.</summary>
internal sealed class BenchmarkInvocation : InvocationConfiguration
{
    public required BedOptions Bed { get; init; }
}
