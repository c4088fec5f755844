using DataService.Tests.Support;
using Operator;

namespace DataService.Tests.Scripts;

/// <param name="ExitCode">Of the process.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record ScriptResult(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>An operators' script as a process, in the build of the solution.</summary>
internal static class Script
{
    /// <summary>Starts it with the operator's token.</summary>
    public static ServiceProcess Start(Uri service, string script, params string[] arguments) => ServiceProcess.Start(
        new() { ["API_TOKEN"] = RunningService.ApiToken, ["DATASERVICE_URL"] = service.ToString() }, [script, .. arguments], typeof(Rate).Assembly.Location);

    /// <inheritdoc cref="Start"/>
    public static Task<ScriptResult> RunAsync(RunningService service, string script, params string[] arguments) => EndAsync(Start(service.Address, script, arguments));

    /// <summary>Runs it with this environment and no other setting.</summary>
    public static Task<ScriptResult> RunWithAsync(Dictionary<string, string?> environment, string script, params string[] arguments) =>
        EndAsync(ServiceProcess.Start(environment, [script, .. arguments], typeof(Rate).Assembly.Location));

    public static async Task<ScriptResult> EndAsync(ServiceProcess process)
    {
        await using (process)
        {
            var exitCode = await process.ExitCodeAsync();
            Assert.DoesNotContain(RunningService.ApiToken, process.Output + process.Error, StringComparison.Ordinal);
            return new ScriptResult(exitCode, process.Output, process.Error);
        }
    }
}
