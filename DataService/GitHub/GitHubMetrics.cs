using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net.Http.Headers;

namespace DataService.GitHub;

/// <summary>What monitoring sees of the calls to GitHub, and of what GitHub says about the token in its answers.</summary>
internal sealed class GitHubMetrics
{
    /// <summary>Of all instruments of the service. They come from the host's own factory: two hosts in one process do not mix.</summary>
    public const string MeterName = "DataService";

    private const string UtcZone = " UTC";

    /// <summary>From a cached answer to the deadline of a call.</summary>
    private static readonly double[] Buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20];

    private readonly TimeProvider _time;
    private readonly Histogram<double> _calls;
    private RateLimit? _limit;
    private DateTimeOffset? _expiry;

    public GitHubMetrics(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create(MeterName);
        _calls = meter.CreateHistogram(
            "dataservice.github.call.duration", "s", "Calls to GitHub, by operation and status, or by error where no answer came.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets });
        meter.CreateObservableGauge(
            "dataservice.github.rate_limit.limit", () => Observe(limit => limit.Limit),
            "{request}", "Calls that GitHub takes from the token in an hour.");
        meter.CreateObservableGauge(
            "dataservice.github.rate_limit.remaining", () => Observe(limit => limit.Remaining),
            "{request}", "Calls that GitHub still takes before the reset.");
        meter.CreateObservableGauge(
            "dataservice.github.rate_limit.reset", () => Observe(limit => (limit.ResetAt - _time.GetUtcNow()).TotalSeconds),
            "s", "Time until GitHub's count begins anew.");
        meter.CreateObservableGauge(
            "dataservice.github.token.expiry", ObserveExpiry,
            "s", "Time until the token expires, where GitHub has said it; below zero when it has.");
    }

    /// <summary>Whom the call was for, in few words: the path itself has a value for each project.</summary>
    /// <param name="method">Of the request.</param>
    /// <param name="path">Relative to the API's root.</param>
    public static string OperationOf(HttpMethod method, string path) => (method.Method, path.Trim('/').Split('/')) switch
    {
        ("POST", ["orgs", _, "repos"]) => "create_repository",
        ("GET", ["repos", _, _] or ["repositories", _]) => "get_repository",
        ("GET", ["user", "repos"]) => "list_repositories",
        ("POST", ["repos", _, _, "issues"]) => "create_issue",
        ("GET", ["repos", _, _, "issues"] or ["repositories", _, "issues"]) => "list_issues",
        _ => "other",
    };

    public void Answered(string operation, TimeSpan duration, HttpResponseMessage answer)
    {
        var tags = new TagList { { "operation", operation }, { "http.response.status_code", (int)answer.StatusCode } };
        _calls.Record(duration.TotalSeconds, tags);
        // Other resources, such as search, have limits of their own.
        if (Header(answer.Headers, "x-ratelimit-resource") is null or "core"
            && Number(answer.Headers, "x-ratelimit-limit") is { } limit
            && Number(answer.Headers, "x-ratelimit-remaining") is { } remaining
            && Number(answer.Headers, "x-ratelimit-reset") is { } reset && reset < DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            _limit = new RateLimit(limit, remaining, DateTimeOffset.FromUnixTimeSeconds(reset));
        if (Header(answer.Headers, "github-authentication-token-expiration") is { } expiry)
            _expiry = Expiry(expiry) ?? _expiry;
    }

    public void Failed(string operation, TimeSpan duration, Exception exception)
    {
        var error = exception switch { TimeoutException => "timeout", OperationCanceledException => "cancelled", _ => "connection" };
        _calls.Record(duration.TotalSeconds, new TagList { { "operation", operation }, { "error.type", error } });
    }

    /// <summary>As in <c>2026-08-17 21:08:28 UTC</c> or <c>2026-08-17 21:08:28 -0400</c>.</summary>
    internal static DateTimeOffset? Expiry(string text)
    {
        var zoned = text.EndsWith(UtcZone, StringComparison.Ordinal) ? text[..^UtcZone.Length] : text;
        return DateTimeOffset.TryParse(zoned, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
    }

    private Measurement<double>[] Observe(Func<RateLimit, double> value)
    {
        if (_limit is not { } seen)
            return [];
        // After the reset nobody has used anything that we know of.
        return [new(value(seen.ResetAt > _time.GetUtcNow() ? seen : seen with { Remaining = seen.Limit, ResetAt = _time.GetUtcNow() }))];
    }

    private Measurement<double>[] ObserveExpiry() => _expiry is { } at ? [new((at - _time.GetUtcNow()).TotalSeconds)] : [];

    private static long? Number(HttpResponseHeaders headers, string name) =>
        long.TryParse(Header(headers, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? Header(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private sealed record RateLimit(long Limit, long Remaining, DateTimeOffset ResetAt);
}
