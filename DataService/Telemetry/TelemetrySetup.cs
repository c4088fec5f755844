using System.Diagnostics.Metrics;
using System.Reflection;
using DataService.Domain;
using DataService.GitHub;
using DataService.Http;
using DataService.Jobs;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DataService.Telemetry;

internal static class TelemetrySetup
{
    /// <summary>Of <c>http.server.request.duration</c>.</summary>
    private const string HttpServerMeter = "Microsoft.AspNetCore.Hosting";

    /// <summary>Memory, processor, garbage collection and threads of the process.</summary>
    private const string RuntimeMeter = "System.Runtime";

    /// <summary>Of one instrument of ours or of the runtime's; none has more than some dozens.</summary>
    private const int MostSeries = 200;

    private const string HttpClientSource = "System.Net.Http";

    /// <summary>What machines ask for all the time.</summary>
    private static readonly PathString[] Untraced = ["/health", HttpSetup.Metrics];

    /// <summary>
    /// Adds OpenTelemetry: metrics to be scraped; and traces and metrics that are sent by OTLP, where that is configured. Without it nothing
    /// is sent, and no request is recorded.
    /// </summary>
    /// <exception cref="ConfigurationException">METRICS_URLS or an OTEL_EXPORTER_OTLP_* variable does not fit.</exception>
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        var options = TelemetryOptions.From(builder.Configuration);
        builder.Services.AddSingleton(options);
        if (options.IsDisabled)
            return;
        builder.Services.ConfigureOpenTelemetryMeterProvider(
            (services, metrics) => metrics.AddView(OfThisHost(services.GetRequiredService<IMeterFactory>())));
        var telemetry = builder.Services.AddOpenTelemetry()
            // Last what the environment says: OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
            .ConfigureResource(resource => resource.AddService("DataService", serviceVersion: Version()).AddEnvironmentVariableDetector())
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(GitHubMetrics.MeterName, HttpServerMeter, RuntimeMeter)
                    .AddPrometheusExporter(prometheus => prometheus.ScopeInfoEnabled = false);
                if (options.MetricsTarget is { } target)
                    SendTo(target, metrics);
            });
        if (options.TracesTarget is { } traces)
        {
            telemetry.WithTracing(tracing => tracing
                .AddAspNetCoreInstrumentation(requests => requests.Filter = IsTraced)
                .AddSource(JobTrace.SourceName, HttpClientSource)
                .AddNpgsql()
                .AddOtlpExporter(traces.Apply));
        }

        builder.Services.AddHostedService<MetricsListener>();
    }

    /// <summary>Behind the token, as all else; what listens on METRICS_URLS needs none.</summary>
    public static void MapMetrics(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<TelemetryOptions>().IsDisabled)
            app.MapPrometheusScrapingEndpoint(HttpSetup.Metrics).DisableHttpMetrics().ExcludeFromDescription();
    }

    /// <summary>In the dashboard only what somebody does there: its pages ask for their figures again and again.</summary>
    private static bool IsTraced(HttpContext context)
    {
        var path = context.Request.Path;
        return path.StartsWithSegments(Caller.Dashboard, out var page)
            ? HttpMethods.IsPost(context.Request.Method) && !page.StartsWithSegments("/stats")
            : !Array.Exists(Untraced, untraced => path.StartsWithSegments(untraced));
    }

    /// <summary>
    /// OpenTelemetry listens to all meters of the process by their names; another host in it, as in tests, has a factory of its own.
    /// For each instrument it sets room aside for 2,000 series, 170 kB. Only requests, of all routes and outcomes, may need so many.
    /// </summary>
    private static Func<Instrument, MetricStreamConfiguration?> OfThisHost(IMeterFactory own) => instrument =>
        instrument.Meter.Scope is IMeterFactory other && !ReferenceEquals(other, own) ? MetricStreamConfiguration.Drop
        : instrument.Meter.Name is HttpServerMeter ? null
        : new MetricStreamConfiguration { CardinalityLimit = MostSeries };

    /// <summary>On its own, so that the exporter is loaded only where something is sent.</summary>
    private static void SendTo(OtlpTarget target, MeterProviderBuilder metrics) => metrics.AddOtlpExporter(target.Apply);

    private static string Version() =>
        typeof(TelemetrySetup).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
