using System.Runtime.CompilerServices;
using DataService.Tests.Support;

namespace DataService.Tests.Conventions;

public sealed class StoppedHostTests(PostgresCluster cluster)
{
    [Fact]
    public async Task A_service_that_was_stopped_leaves_nothing_behind_in_its_process()
    {
        var services = await ServeAndStopAsync();

        await Eventually.ReturnsAsync(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return Task.FromResult(services.TryGetTarget(out _));
            },
            isKept => !isKept,
            "the services of the stopped host to be given up");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<WeakReference<IServiceProvider>> ServeAndStopAsync()
    {
        await using var service = await RunningService.StartAsync(cluster);
        var slug = await service.CreateProjectAsync("Kept");
        await service.ApproveAsync(slug);
        await service.CreationReachesAsync(slug, "created");
        using var seen = await service.Anonymous.GetAsync(new Uri($"/projects/{slug}/client-view", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, seen.StatusCode);
        return new WeakReference<IServiceProvider>(service.Services);
    }
}
