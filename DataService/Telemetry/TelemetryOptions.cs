using DataService.Domain;
using OpenTelemetry.Exporter;

namespace DataService.Telemetry;

/// <summary>Where traces and metrics go, by OpenTelemetry's own variables, and who may scrape. Printing it shows no headers.</summary>
internal sealed class TelemetryOptions
{
    public const string MetricsVariable = "METRICS_URLS";

    private const string Prefix = "OTEL_EXPORTER_OTLP_";
    private const string Traces = "TRACES_";
    private const string Metrics = "METRICS_";

    /// <summary>Whether OTEL_SDK_DISABLED has turned all of it off.</summary>
    public required bool IsDisabled { get; init; }

    /// <summary>Null where no traces are sent.</summary>
    public required OtlpTarget? TracesTarget { get; init; }

    /// <summary>Null where no metrics are sent.</summary>
    public required OtlpTarget? MetricsTarget { get; init; }

    /// <summary>Addresses that serve the metrics, and nothing else, without a token; empty for none.</summary>
    public required IReadOnlyList<string> MetricsUrls { get; init; }

    /// <exception cref="ConfigurationException">A value does not fit; names the variable.</exception>
    public static TelemetryOptions From(IConfiguration configuration) => new()
    {
        IsDisabled = "true".Equals(configuration["OTEL_SDK_DISABLED"]?.Trim(), StringComparison.OrdinalIgnoreCase),
        TracesTarget = Target(configuration, Traces, "v1/traces"),
        MetricsTarget = Target(configuration, Metrics, "v1/metrics"),
        MetricsUrls =
        [
            .. (configuration[MetricsVariable] ?? "")
                .Split([';', ','], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Listening),
        ],
    };

    /// <summary>A signal's own variable goes before the one for all. What neither says has OpenTelemetry's default.</summary>
    private static OtlpTarget? Target(IConfiguration configuration, string signal, string path)
    {
        var (variable, own) = Value(configuration, signal, "ENDPOINT");
        if (own is null)
            return null;
        if (!Uri.TryCreate(own, UriKind.Absolute, out var endpoint) || endpoint is not { Scheme: "http" or "https", UserInfo: "" })
            throw new ConfigurationException(variable, "must be an absolute http(s) address without a user, such as http://collector:4317");

        var (protocolVariable, protocolName) = Value(configuration, signal, "PROTOCOL");
        var isGrpc = protocolName switch
        {
            null or "grpc" => true,
            "http/protobuf" => false,
            _ => throw new ConfigurationException(protocolVariable, "must be grpc or http/protobuf"),
        };
        // OpenTelemetry's own rule: a signal's own address is taken as it is.
        if (!isGrpc && variable == $"{Prefix}ENDPOINT")
            endpoint = new Uri(endpoint.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/" + path + endpoint.Query);

        var (headersVariable, headers) = Value(configuration, signal, "HEADERS");
        if (headers is not null && !headers.Split(',').All(header => header.IndexOf('=', StringComparison.Ordinal) > 0))
            throw new ConfigurationException(headersVariable, "must be headers such as name=value,other=value");
        var (timeoutVariable, timeoutText) = Value(configuration, signal, "TIMEOUT");
        int? timeout = timeoutText is null ? null
            : int.TryParse(timeoutText, out var milliseconds) && milliseconds > 0 ? milliseconds
            : throw new ConfigurationException(timeoutVariable, "must be a whole number of milliseconds above zero");
        return new OtlpTarget(endpoint, isGrpc, headers, timeout);
    }

    private static (string Variable, string? Value) Value(IConfiguration configuration, string signal, string name)
    {
        var own = Prefix + signal + name;
        if (configuration[own] is { Length: > 0 } value)
            return (own, value.Trim());
        return (Prefix + name, configuration[Prefix + name] is { Length: > 0 } shared ? shared.Trim() : null);
    }

    private static string Listening(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            if (address is { Scheme: "http", PathBase: "", IsUnixPipe: false, IsNamedPipe: false } && !string.IsNullOrEmpty(address.Host))
                return url;
        }
        catch (FormatException)
        {
            // Said below.
        }

        throw new ConfigurationException(
            MetricsVariable, "must be http addresses without a path, separated by semicolons, such as http://+:9464");
    }
}

/// <param name="Endpoint">The whole address of the signal.</param>
/// <param name="IsGrpc">By gRPC; else as protobuf over HTTP. Not as the exporter's own type: it is loaded where something is sent.</param>
/// <param name="Headers">Secret; null for none.</param>
/// <param name="Timeout">Of one export, in milliseconds; null for OpenTelemetry's default.</param>
internal sealed record OtlpTarget(Uri Endpoint, bool IsGrpc, string? Headers, int? Timeout)
{
    public void Apply(OtlpExporterOptions exporter)
    {
        exporter.Endpoint = Endpoint;
        exporter.Protocol = IsGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        if (Headers is not null)
            exporter.Headers = Headers;
        if (Timeout is { } milliseconds)
            exporter.TimeoutMilliseconds = milliseconds;
    }

    public override string ToString() => $"{(IsGrpc ? "gRPC" : "HTTP")} at {Endpoint}";
}
