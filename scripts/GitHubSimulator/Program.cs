namespace GitHubSimulator;

/// <summary>In a namespace, with a Main: a top-level Program would clash with the service's own in the tests that reference both.</summary>
internal static class Program
{
    private static void Main(string[] args) => SimulatorHost.Create(args).Run();
}
