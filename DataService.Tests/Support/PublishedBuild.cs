using DataService.Benchmarks.Footprint;
using DataService.Data;

namespace DataService.Tests.Support;

/// <summary>
/// The service as its image holds it. A whole run publishes it once and starts its processes from it: compiled ahead, they cost less
/// processor time, and what ships is what is tested. A run of a few tests does not wait for that, and starts the build it was built with.
/// </summary>
internal static class PublishedBuild
{
    /// <summary>Set by scripts/test for a whole run: takes what is published, and is deleted behind the run.</summary>
    private const string FolderVariable = "DATASERVICE_TEST_PUBLISHED";

    private static readonly Lazy<Task<string>>? Published = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } folder
        ? new(() => PublishedService.MakeAsync(Repository.Root, folder, CancellationToken.None))
        : null;

    /// <summary>The assembly to start a process of the service from. The first who asks in a whole run waits for the build.</summary>
    public static string Assembly =>
        Published is null ? typeof(DataServiceDbContext).Assembly.Location : Path.Combine(Published.Value.GetAwaiter().GetResult(), "DataService.dll");

    /// <summary>Publishes where no whole run does.</summary>
    /// <param name="folder">Takes what is published then.</param>
    /// <returns>The published folder.</returns>
    public static Task<string> InAsync(string folder) =>
        Published?.Value ?? PublishedService.MakeAsync(Repository.Root, folder, TestContext.Current.CancellationToken);
}
