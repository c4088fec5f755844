#!/usr/bin/env dotnet
#:include Operator/Script.cs
namespace Operator;

/// <summary>Ends the pause.</summary>
internal static class Resume
{
    internal static Task<int> Main(string[] args) => Script.RunAsync(
        "resume", "Lets the creation of repositories go on, whoever has paused it, and wakes what waited for that.", args, [], RunAsync);

    private static async Task<int> RunAsync(ScriptRun run)
    {
        var before = await run.Service.GetAsync<StatusAnswer>("repo-creations/status");
        var status = await run.Service.PostAsync<StatusAnswer>("repo-creations/resume");
        if (run.Json)
            Screen.Json(status);
        else if (before.Pause is { } pause)
            Screen.Line($"Resumed. It was paused since {Screen.Instant(pause.Since)}: {pause.Reason} Waiting: {Screen.Number(before.WaitingForResume)}");
        else
            Screen.Line("It was not paused.");
        return ExitCode.Done;
    }
}
