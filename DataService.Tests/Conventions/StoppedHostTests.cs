using System.Runtime.CompilerServices;
using DataService.Tests.Support;

namespace DataService.Tests.Conventions;

public sealed class StoppedHostTests(PostgresCluster cluster)
{
    private const int Hosts = 3;

    [Fact]
    public async Task Services_that_were_stopped_do_not_gather_in_their_process()
    {
        var stopped = new List<WeakReference<IServiceProvider>>();
        for (var host = 0; host < Hosts; host++)
            stopped.Add(await ServeAndStopAsync());

        // A thread at rest may hold the last one that it served; what keeps a host for good keeps each of them.
        await Eventually.ReturnsAsync(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return Task.FromResult(stopped.Count(services => services.TryGetTarget(out _)));
            },
            kept => kept < Hosts,
            "the services of stopped hosts to be given up");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<WeakReference<IServiceProvider>> ServeAndStopAsync()
    {
        await using var service = await RunningService.StartAsync(cluster);
        var slug = await service.CreateProjectAsync("Kept");
        using var seen = await service.Anonymous.GetAsync(new Uri($"/projects/{slug}/client-view", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, seen.StatusCode);
        return new WeakReference<IServiceProvider>(service.Services);
    }
}
