using System.Text.Json;
using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.Telemetry;

/// <summary>A service that sends by OTLP, and what has happened in it: all tests of a class look at the same.</summary>
public sealed class TracedService(PostgresCluster cluster) : IAsyncLifetime
{
    public const string CollectorToken = "canary-collector-token-b81c02";

    public const string Created = "traced-shop";
    public const string Retried = "retried-shop";
    public const string Failed = "failed-shop";

    private RunningService? _service;

    internal OtlpReceiver Collector { get; } = new();

    internal RunningService Service => _service ?? throw new InvalidOperationException("The service is not started.");

    public async ValueTask InitializeAsync()
    {
        await Collector.InitializeAsync();
        _service = await RunningService.StartAsync(cluster, new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Collector.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_EXPORTER_OTLP_HEADERS"] = $"Authorization=Bearer {CollectorToken}",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
            // All that other tests' hosts do in this process is recorded too, and what does not fit is lost.
            ["OTEL_BSP_MAX_QUEUE_SIZE"] = "200000",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            ["Jobs:FirstRetryDelay"] = "00:00:00.5",
        });
        var cancelled = TestContext.Current.CancellationToken;
        await ApproveAsync("Traced shop", "created");
        _service.Break(new FaultRule { Kind = FaultKind.BadGateway, Times = 1 });
        // The look after the POST may meet it too.
        await ApproveAsync("Retried shop", "created");
        _service.GitHub.Faults.Clear();
        _service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.NotAdmin, Times = 1 });
        var failed = await ApproveAsync("Failed shop", "failed");
        await _service.JobReachesAsync(failed.GetProperty("repoCreation").GetProperty("jobId").GetString()!, "Failed");
        var requeued = await _service.Http.PostAsJsonAsync("/repo-creations/requeue", new { slugs = new[] { Failed } }, cancelled);
        await requeued.ReadAsync(HttpStatusCode.OK);
        await _service.CreationReachesAsync(Failed, "created");

        using var admin = await AdminSession.OpenAsync(_service);
        await admin.AskForFiguresAsync();
        foreach (var path in (string[])["/health/live", "/health/ready", "/metrics"])
            Assert.Equal(HttpStatusCode.OK, (await _service.Http.GetAsync(path, cancelled)).StatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
        await Collector.DisposeAsync();
    }

    private async Task<JsonElement> ApproveAsync(string name, string end)
    {
        var slug = await Service.CreateProjectAsync(name);
        await Service.ApproveAsync(slug);
        return await Service.CreationReachesAsync(slug, end);
    }
}
