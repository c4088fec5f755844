using System.CommandLine;
using System.Globalization;
using DataService.Benchmarks.Seeding;
using DataService.Data;
using Npgsql;

namespace DataService.Benchmarks.Engine;

/// <summary>What the commands that measure the bulk engine and the lists share.</summary>
internal static class MeasureCommand
{
    /// <param name="name">What is typed.</param>
    /// <param name="description">What is measured, in a line.</param>
    /// <param name="options">Its own.</param>
    /// <param name="measure">Prints the figures; returns whether every bar is reached.</param>
    /// <returns>Ends with 0 where every bar is reached, 2 where one is not, 1 where it cannot run.</returns>
    public static Command Create(
        string name, string description, IReadOnlyList<Option> options, Func<ParseResult, TextWriter, TextWriter, CancellationToken, Task<bool>> measure)
    {
        var command = new Command(name, description);
        foreach (var option in options)
            command.Add(option);
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var (output, error) = (arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
            try
            {
                await output.WriteLineAsync(Machine());
                return await measure(arguments, output, error, cancellationToken) ? 0 : 2;
            }
            catch (Exception exception) when (exception is CannotMeasureException or NotSeededException or EmbeddedPostgresException or NpgsqlException or HttpRequestException)
            {
                await error.WriteLineAsync($"{name} cannot run: {exception.Message}");
                return 1;
            }
        });
        return command;
    }

    public static Option<int> Number(string name, string description, int otherwise)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [_] && !result.Errors.Any() && result.GetValueOrDefault<int>() is < 1 or > 10_000_000)
                result.AddError($"{name} must be from 1 to 10000000.");
        });
        return option;
    }

    public static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Machine()
    {
#if DEBUG
        const string Build = "a DEBUG build, whose figures mean nothing";
#else
        const string Build = "a Release build";
#endif
        return $"{Environment.ProcessorCount} processors, .NET {Environment.Version}, {Build}";
    }
}
