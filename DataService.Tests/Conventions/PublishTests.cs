using System.Diagnostics;
using System.Text.RegularExpressions;
using DataService.Tests.Support;

namespace DataService.Tests.Conventions;

/// <summary>There is no container daemon where the tests run, so the step that the Dockerfile calls is tested instead.</summary>
public sealed partial class PublishTests(PostgresCluster cluster)
{
    [Fact]
    public async Task The_Dockerfiles_publish_step_makes_a_folder_that_starts_by_itself()
    {
        var root = Repository.Root;
        var step = PublishStep().Match(await File.ReadAllTextAsync(Path.Combine(root, "Dockerfile"), TestContext.Current.CancellationToken));
        Assert.True(step.Success, "The Dockerfile has no publish step.");
        var output = Directory.CreateTempSubdirectory("dataservice-publish-").FullName;
        try
        {
            await RunAsync(root, [.. step.Groups["arguments"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--output", output, "--artifacts-path", Path.Combine(output, "build")]);

            await using var service = ServiceProcess.Start(
                new() { ["ConnectionStrings__DataService"] = await cluster.CreateEmptyDatabaseAsync(), ["API_TOKEN"] = RunningService.ApiToken },
                assembly: Path.Combine(output, "DataService.dll"));
            await service.IsReadyAsync();
            await service.SignalAsync("TERM");

            Assert.Equal(0, await service.ExitCodeAsync());
            Assert.True(File.Exists(Path.Combine(output, "appsettings.Production.json")), "The settings are missing.");
        }
        finally
        {
            Directory.Delete(output, recursive: true);
        }
    }

    private static async Task RunAsync(string folder, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
        var text = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, text);
    }

    /// <summary>Without what only makes sense inside the image: the folder, and the restore in an earlier layer.</summary>
    [GeneratedRegex(@"^RUN dotnet (?<arguments>publish .*) --no-restore --output /app$", RegexOptions.Multiline)]
    private static partial Regex PublishStep();
}
