using DataService.Domain;
using DataService.Telemetry;
using Microsoft.Extensions.Configuration;

namespace DataService.Tests.Telemetry;

public sealed class TelemetryOptionsTests
{
    private const string Secret = "hunter2-hunter2-hunter2";

    [Fact]
    public void Nothing_configured_sends_nothing_and_listens_nowhere()
    {
        var options = From([("OTEL_EXPORTER_OTLP_ENDPOINT", ""), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("METRICS_URLS", "")]);

        Assert.Equal((false, null, null), (options.IsDisabled, options.TracesTarget, options.MetricsTarget));
        Assert.Empty(options.MetricsUrls);
    }

    [Fact]
    public void One_address_is_for_both_signals()
    {
        var grpc = From([("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317")]);
        Assert.Equal((new Uri("http://collector:4317"), true), (grpc.TracesTarget!.Endpoint, grpc.TracesTarget.IsGrpc));
        Assert.Equal(grpc.TracesTarget, grpc.MetricsTarget);

        var http = From([("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/otlp/"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]);
        Assert.Equal("http://collector:4318/otlp/v1/traces", http.TracesTarget!.Endpoint.ToString());
        Assert.Equal("http://collector:4318/otlp/v1/metrics", http.MetricsTarget!.Endpoint.ToString());
    }

    [Fact]
    public void A_signals_own_variable_goes_first_and_its_address_is_taken_as_it_is()
    {
        var options = From(
        [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example.com/in"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", $"api-key={Secret}"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
        ]);

        var target = options.TracesTarget!;
        Assert.Equal(("https://traces.example.com/in", false), (target.Endpoint.ToString(), target.IsGrpc));
        Assert.Equal(($"api-key={Secret}", 2500), (target.Headers, target.Timeout));
        Assert.Null(options.MetricsTarget);
        Assert.DoesNotContain(Secret, target.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void OpenTelemetry_can_be_turned_off_as_a_whole() => Assert.True(From([("OTEL_SDK_DISABLED", "true")]).IsDisabled);

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://user:{Secret}@collector")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "ftp://collector")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "carrier pigeon")]
    [InlineData("OTEL_EXPORTER_OTLP_HEADERS", Secret)]
    [InlineData("OTEL_EXPORTER_OTLP_TIMEOUT", "10s")]
    [InlineData("METRICS_URLS", "9464")]
    [InlineData("METRICS_URLS", "https://+:9464")]
    [InlineData("METRICS_URLS", "http://+:9464/metrics")]
    [InlineData("METRICS_URLS", "http://+:9464;nonsense")]
    public void A_wrong_value_is_named(string variable, string value)
    {
        var exception = Assert.Throws<ConfigurationException>(
            () => From([("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"), (variable, value)]));

        Assert.StartsWith($"{variable} ", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, exception.Message, StringComparison.Ordinal);
    }

    private static TelemetryOptions From(IEnumerable<(string Name, string Value)> settings) => TelemetryOptions.From(
        new ConfigurationBuilder().AddInMemoryCollection(
            settings.GroupBy(setting => setting.Name).Select(setting => KeyValuePair.Create<string, string?>(setting.Key, setting.Last().Value))).Build());
}
