using System.Globalization;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace DataService.Tests.Support;

/// <summary>What a service exports in Prometheus' text format.</summary>
internal sealed partial class Scrape
{
    private Scrape(string text)
    {
        Text = text;
        Samples = [.. Line().Matches(text).Select(line => new Sample(
            line.Groups["name"].Value,
            Label().Matches(line.Groups["labels"].Value)
                .ToDictionary(label => label.Groups["name"].Value, label => label.Groups["value"].Value),
            double.Parse(line.Groups["value"].ValueSpan, CultureInfo.InvariantCulture)))];
    }

    public string Text { get; }

    public IReadOnlyList<Sample> Samples { get; }

    public static async Task<Scrape> OfAsync(RunningService service) =>
        new(await service.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken));

    /// <summary>As Prometheus asks for it.</summary>
    public static async Task<Scrape> OfAsync(HttpClient http, string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse("application/openmetrics-text;version=1.0.0;q=0.5"));
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse("text/plain;version=0.0.4;q=0.3"));
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return new Scrape(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Scrapes again and again until it shows what is expected.</summary>
    public static Task<Scrape> ShowsAsync(RunningService service, Func<Scrape, bool> holds, string expectation) =>
        Eventually.ReturnsAsync(() => OfAsync(service), holds, expectation);

    /// <summary>The value of the series with these labels and no others; null where there is none.</summary>
    public double? this[string name, params (string Name, string Value)[] labels] => Samples
        .Where(sample => sample.Name == name && sample.Labels.Count == labels.Length
            && labels.All(label => sample.Labels.GetValueOrDefault(label.Name) == label.Value))
        .Select(sample => (double?)sample.Value).SingleOrDefault();

    public override string ToString() => Text;

    [GeneratedRegex(@"^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>[^\n]*)\})? (?<value>\S+)( [0-9.]+)?$", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex("""(?<name>\w+)="(?<value>[^"]*)"[,}]?""")]
    private static partial Regex Label();

    internal sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);
}
