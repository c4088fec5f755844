#:package Spectre.Console
#:package System.CommandLine
#:include BulkOptions.cs
#:include BulkRun.cs
#:include CommonOptions.cs
#:include Csv.cs
#:include FilterOptions.cs
#:include Interruption.cs
#:include Rate.cs
#:include Screen.cs
#:include ServiceAnswers.cs
#:include ServiceClient.cs
using System.CommandLine;

namespace Operator;

/// <summary>How a script ends; the table in README.md.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>The service refused or failed. Of the doctor: a check warns.</summary>
    public const int Failed = 1;

    /// <summary>Options that do not fit. Of the doctor: a check fails.</summary>
    public const int Usage = 2;

    public const int NotReachable = 3;

    /// <summary>No token, one that the service does not know, or a viewer's where something is changed.</summary>
    public const int NotAllowed = 4;

    public const int NotConfirmed = 5;

    /// <summary>By Ctrl-C: 128 and the number of the signal, as a shell has it.</summary>
    public const int Interrupted = 130;

    /// <summary>By SIGTERM.</summary>
    public const int Terminated = 143;
}

/// <summary>Ends a script with a line for the person at the terminal.</summary>
internal sealed class ScriptException(int exitCode, string message) : Exception(message)
{
    public int ExitCode => exitCode;
}

/// <summary>What one run of a script works with.</summary>
/// <param name="Service">The API, with the token.</param>
/// <param name="Options">The command line.</param>
/// <param name="Interruption">Ctrl-C and SIGTERM.</param>
internal sealed record ScriptRun(ServiceClient Service, ParseResult Options, Interruption Interruption)
{
    public bool Json => Options.GetValue(CommonOptions.Json);
}

/// <summary>What all scripts do alike: the common options, the token, errors and exit codes.</summary>
internal static class Script
{
    private const string ExitCodes =
        """
        Exit codes: 0 done, 1 the service refused or failed, 2 wrong usage, 3 the service is not reachable, 4 token missing or refused,
        5 not confirmed, 130 interrupted, 143 ended by SIGTERM.
        """;

    /// <param name="name">As it is called.</param>
    /// <param name="description">The first lines of its help.</param>
    /// <param name="args">The command line.</param>
    /// <param name="options">Its own options.</param>
    /// <param name="run">Returns the exit code.</param>
    /// <param name="onlyReads">Whether a viewer's token is enough.</param>
    /// <param name="exitCodes">For the help, where they are others.</param>
    public static async Task<int> RunAsync(
        string name, string description, string[] args, IReadOnlyList<Option> options, Func<ScriptRun, Task<int>> run, bool onlyReads = false,
        string? exitCodes = null)
    {
        // Before anything can repeat what follows it.
        if (Array.Exists(args, IsToken))
        {
            await Console.Error.WriteLineAsync(
                "A token is no argument: every user of this machine could read it in the list of processes, and the shell would remember it. "
                + "Set API_TOKEN, or put it into a file and give --token-file.");
            return ExitCode.Usage;
        }

        var command = new RootCommand($"{description}\n\n{exitCodes ?? ExitCodes}");
        foreach (var option in options.Concat(CommonOptions.All))
            command.Options.Add(option);
        var parsed = command.Parse(args);
        if (parsed.Errors is not [])
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync(Screen.Plain(error.Message));
            await Console.Error.WriteLineAsync($"See {name} --help.");
            return ExitCode.Usage;
        }

        using var interruption = new Interruption();
        command.SetAction(async (result, _) =>
        {
            using var service = new ServiceClient(name, CommonOptions.Address(result), CommonOptions.Token(result, onlyReads), interruption);
            return await run(new ScriptRun(service, result, interruption));
        });
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (ScriptException exception)
        {
            await Console.Error.WriteLineAsync(Screen.Plain(exception.Message));
            return exception.ExitCode;
        }
        catch (OperationCanceledException) when (interruption.IsAsked)
        {
            await Console.Error.WriteLineAsync("Interrupted.");
            return interruption.ExitCode;
        }
        // The output cannot be written: the disk is full.
        catch (IOException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return ExitCode.Failed;
        }
    }

    private static bool IsToken(string argument) =>
        argument.Split('=', ':')[0].TrimStart('-').ToLowerInvariant() is "token" or "api-token" or "apitoken" or "viewer-token" && argument.StartsWith('-');
}
