using System.CommandLine;
using DataService.Data;
using Npgsql;

namespace DataService.Benchmarks.Dispatch;

/// <summary>What the commands of this folder have in common.</summary>
internal static class Measurement
{
    /// <summary>Has the command measure on a test bed of its own. What cannot be measured is said, with an exit code of 1.</summary>
    public static void SetMeasurement(this Command command, Func<ParseResult, TestBed, TextWriter, CancellationToken, Task> measure) =>
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var configuration = arguments.InvocationConfiguration;
            try
            {
                await using var bed = await TestBed.StartAsync(cancellationToken);
                await measure(arguments, bed, configuration.Output, cancellationToken);
                return 0;
            }
            catch (Exception exception)
                when (exception is EmbeddedPostgresException or NpgsqlException or HttpRequestException or TimeoutException)
            {
                await configuration.Error.WriteLineAsync($"{command.Name} cannot be measured: {exception.Message}");
                return 1;
            }
        });

    /// <summary>An option with a lower bound.</summary>
    public static Option<int> Number(string name, string description, int otherwise, int least)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Errors.Any())
                return;
            if (result.GetValueOrDefault<int>() is var value && value < least)
                result.AddError($"{name} is {value}; it must be at least {least}.");
        });
        return option;
    }
}
