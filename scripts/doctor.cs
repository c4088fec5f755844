#!/usr/bin/env dotnet
#:include Operator/Script.cs
namespace Operator;

/// <summary>Asks the service how it is.</summary>
internal static class Doctor
{
    internal static async Task<int> Main(string[] args) => await Script.RunAsync(
        "doctor",
        """
        Checks whether the service can do its work: database, migrations, Hangfire, queue, pause, GitHub's token, organisation, limits and clocks.
        One line each, with the cure. Changes nothing. Inside the container: DataService doctor.
        """,
        args, [], RunAsync, onlyReads: true, "Exit codes: 0 all is well, 1 a check warns, 2 a check fails or the service cannot be asked.")
        // Without a token nothing was checked either.
        is var code and not ExitCode.NotAllowed ? code : ExitCode.Usage;

    private static async Task<int> RunAsync(ScriptRun run)
    {
        DoctorAnswer answer;
        try
        {
            answer = await run.Service.GetAsync<DoctorAnswer>("doctor");
        }
        catch (ScriptException exception)
        {
            answer = new DoctorAnswer("fail", DateTime.UtcNow, [new CheckAnswer("service", "fail", exception.Message, null)]);
        }

        if (run.Json)
            Screen.Json(answer);
        else
            answer.Checks.ToList().ForEach(check => Screen.Line($"{check.Status,-4}  {check.Name,-15}  {check.Message}{(check.Cure is { } cure ? $" {cure}" : "")}"));
        return answer.Status switch { "ok" => 0, "warn" => 1, _ => 2 };
    }
}
