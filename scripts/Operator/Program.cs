namespace Operator;

internal static class Program
{
    private static readonly Dictionary<string, Func<string[], Task<int>>> Scripts = new()
    {
        ["doctor"] = Doctor.Main,
        ["enqueue-missing"] = EnqueueMissing.Main,
        ["list-failed"] = ListFailed.Main,
        ["pause"] = Pause.Main,
        ["requeue-failed"] = RequeueFailed.Main,
        ["resume"] = Resume.Main,
    };

    private static async Task<int> Main(string[] args)
    {
        if (args is [var name, .. var rest] && Scripts.TryGetValue(name, out var script))
            return await script(rest);
        await Console.Error.WriteLineAsync($"Name a script: {string.Join(", ", Scripts.Keys)}.");
        return ExitCode.Usage;
    }
}
