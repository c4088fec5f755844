using DataService.Tests.Support;

namespace DataService.Tests.Conventions;

/// <summary>There is no container daemon where the tests run, so the steps that the Dockerfile calls are tested instead.</summary>
public sealed class PublishTests(PostgresCluster cluster)
{
    [Fact]
    public async Task The_Dockerfiles_steps_make_a_folder_that_starts_by_itself()
    {
        var folder = Directory.CreateTempSubdirectory("dataservice-publish-").FullName;
        try
        {
            var published = await PublishedBuild.InAsync(folder);

            await using var service = ServiceProcess.Start(
                new() { ["ConnectionStrings__DataService"] = await cluster.CreateEmptyDatabaseAsync(), ["API_TOKEN"] = RunningService.ApiToken },
                assembly: Path.Combine(published, "DataService.dll"));
            await service.IsReadyAsync();
            await service.SignalAsync("TERM");

            Assert.Equal(0, await service.ExitCodeAsync());
            Assert.True(File.Exists(Path.Combine(published, "appsettings.Production.json")), "The settings are missing.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
