namespace DataService.Benchmarks.Engine;

/// <summary>A service that does only what it is asked for over HTTP: its one worker waits for a GitHub that answers nothing.</summary>
internal static class StandingStill
{
    public static IReadOnlyDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["GitHub__RequestTimeout"] = "00:01:40",
        ["Jobs__Workers"] = "1",
        ["Jobs__Reconciliation"] = "off",
    };
}
