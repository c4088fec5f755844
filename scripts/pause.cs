#!/usr/bin/env dotnet
#:include Operator/Script.cs
using System.CommandLine;

namespace Operator;

/// <summary>Lets every creation wait, on all instances.</summary>
internal static class Pause
{
    private static readonly Option<string> Reason = new("--reason") { Description = "Why; others read it. At most 500 characters", HelpName = "text", Required = true };

    static Pause() => Reason.Validators.Add(result =>
    {
        if (result.Tokens is [{ Value: var text }] && string.IsNullOrWhiteSpace(text))
            result.AddError("--reason must say something.");
    });

    internal static Task<int> Main(string[] args) => Script.RunAsync(
        "pause",
        "Lets the creation of repositories wait, on all instances, until resume. Approvals go on, and so does an attempt that has begun.",
        args, [Reason], RunAsync);

    private static async Task<int> RunAsync(ScriptRun run)
    {
        var reason = run.Options.GetValue(Reason)!.Trim();
        var status = await run.Service.PostAsync<StatusAnswer>("repo-creations/pause", new { Reason = reason });
        if (run.Json)
            Screen.Json(status);
        else if (status.Pause is { } pause && pause.Reason != reason)
            Screen.Line($"Paused already, since {Screen.Instant(pause.Since)}: {pause.Reason}");
        else
            Screen.Line($"Paused. Go on with resume. Waiting now: {Screen.Number(status.WaitingForResume)}");
        return ExitCode.Done;
    }
}
