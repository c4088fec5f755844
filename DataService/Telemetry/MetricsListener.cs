using DataService.Domain;
using DataService.Http;
using OpenTelemetry.Metrics;

namespace DataService.Telemetry;

/// <summary>
/// Serves the metrics on METRICS_URLS, for a scraper that has no token. It is a server of its own: whatever is asked for there, nothing of
/// the API can answer.
/// </summary>
internal sealed class MetricsListener(TelemetryOptions options, MeterProvider metrics, ILoggerFactory loggers) : IHostedService
{
    private WebApplication? _server;

    /// <summary>Where it listens.</summary>
    public IReadOnlyCollection<string> Addresses => [.. _server?.Urls ?? []];

    /// <exception cref="ConfigurationException">It cannot listen there.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.MetricsUrls is [])
            return;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls([.. options.MetricsUrls]).ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Services.AddSingleton(loggers);
        _server = builder.Build();
        _server.UseOpenTelemetryPrometheusScrapingEndpoint(metrics, null, HttpSetup.Metrics, null, null);
        try
        {
            await _server.StartAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            throw new ConfigurationException(TelemetryOptions.MetricsVariable, $"is where nobody can listen: {exception.Message}");
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_server is not { } server)
            return;
        await server.StopAsync(cancellationToken);
        await server.DisposeAsync();
    }
}
