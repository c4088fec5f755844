using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.Telemetry;

/// <summary>
/// A service that is scraped, after one creation that went well, one that failed, and one that waits: all tests of a class look at the same.
/// </summary>
public sealed class MonitoredService(PostgresCluster cluster) : IAsyncLifetime
{
    public const string ViewerToken = "canary-viewer-token-7c20";

    private RunningService? _service;

    internal RunningService Service => _service ?? throw new InvalidOperationException("The service is not started.");

    /// <summary>Of the service as it is in the end.</summary>
    internal Scrape Scrape { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartAsync(cluster, new()
        {
            ["VIEWER_TOKEN"] = ViewerToken,
            ["METRICS_URLS"] = "http://127.0.0.1:0",
            ["GitHub:ContentBudget"] = "50/h",
        });
        await ApproveAsync("Created shop", "created");
        _service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.NotAdmin, Times = 1 });
        await ApproveAsync("Failed shop", "failed");
        var pause = new { reason = "A look at the gauges" };
        await _service.Http.PostAsJsonAsync("/repo-creations/pause", pause, TestContext.Current.CancellationToken);
        await ApproveAsync("Waiting shop", "queued");
        Scrape = await Scrape.ShowsAsync(
            _service, scrape => scrape["dataservice_creation_waiting", ("reason", "resume")] is 1, "the creation that waits");
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
    }

    private async Task ApproveAsync(string name, string state)
    {
        var slug = await Service.CreateProjectAsync(name);
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, state);
    }
}
