using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using DataService.Tests.Support;
using Serilog.Events;

namespace DataService.Tests.Http;

/// <summary>No input whatever answers 500, at any operation of the OpenAPI document.</summary>
public sealed class HostileRequestsTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private const int Count = 3_600;
    private const int AtATime = 8;

    /// <summary>Another number makes other requests.</summary>
    private const string SeedVariable = "HOSTILE_SEED";

    private static readonly int Seed =
        Environment.GetEnvironmentVariable(SeedVariable) is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : 20_261_122;

    private static readonly HashSet<string> Codes =
    [
        "VALIDATION_ERROR", "UNAUTHORIZED", "NOT_FOUND", "CONFLICT", "INVALID_STATE", "NO_GITHUB_REPO", "RATE_LIMITED", "GITHUB_UNAUTHORIZED", "GITHUB_FORBIDDEN",
        "GITHUB_REPO_NAME_TAKEN", "GITHUB_NOT_FOUND", "GITHUB_VALIDATION", "GITHUB_RATE_LIMITED", "GITHUB_UNAVAILABLE", "GITHUB_TOKEN_MISSING",
    ];

    [Fact]
    public async Task Thousands_of_hostile_requests_are_answered_by_the_contract_and_harm_nothing()
    {
        var untouched = await StateAsync(await Service.CreateProjectAsync("Untouched"), create: true);
        var document = await (await Service.Anonymous.GetAsync("/openapi/v1.json", Cancelled)).ReadAsync(HttpStatusCode.OK);
        var requests = new HostileRequests(
            document, Seed, RunningService.ApiToken, await Service.CreateProjectAsync("Target"), await Service.CreateProjectAsync("Doomed"));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1 })
        {
            Timeout = TimeSpan.FromSeconds(20),
        };
        var findings = new ConcurrentQueue<string>();
        var statuses = new ConcurrentDictionary<int, int>();

        await Parallel.ForEachAsync(requests.Take(Count), new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = Cancelled }, async (request, token) =>
        {
            var (status, finding) = await TryAsync(client, request, token);
            statuses.AddOrUpdate(status, 1, (_, count) => count + 1);
            if (finding is not null)
                findings.Enqueue($"{finding}\n    to {request}");
        });

        var summary = string.Join(", ", statuses.OrderBy(status => status.Key).Select(status => $"{status.Key}: {status.Value}"));
        var errors = Service.Logs.Events.Where(e => e.Level >= LogEventLevel.Error).Select(e => e.Exception).Take(5);
        Assert.True(
            findings.IsEmpty,
            $"{findings.Count} of {Count} with {SeedVariable}={Seed} ({summary}):\n{string.Join('\n', findings.Take(20))}\n{string.Join('\n', errors)}");
        // Hostile requests that no handler ever sees would prove nothing.
        Assert.True(statuses.GetValueOrDefault(200) > 100 && statuses.GetValueOrDefault(400) > 100 && statuses.GetValueOrDefault(404) > 100, summary);
        await (await Service.Anonymous.GetAsync("/health/ready", Cancelled)).ReadAsync(HttpStatusCode.OK);
        Assert.Equal(untouched, await StateAsync("untouched"));
        await Service.CreateProjectAsync("After all that");
    }

    private async Task<(int Status, string? Finding)> TryAsync(HttpClient client, HostileRequest hostile, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var request = Message(hostile);
                using var response = await client.SendAsync(request, cancellationToken);
                var body = await response.Content.ReadAsStringAsync(cancellationToken);
                return ((int)response.StatusCode, Finding(response, body));
            }
            // The server closes a connection behind some of these requests, and the next one may be on its way there by then.
            catch (HttpRequestException) when (attempt < 3)
            {
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                return (0, $"No answer ({exception.Message})");
            }
        }
    }

    private HttpRequestMessage Message(HostileRequest hostile)
    {
        var address = new Uri(Service.Address.GetLeftPart(UriPartial.Authority) + hostile.Target, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(new HttpMethod(hostile.Method), address);
        if (hostile.Body is not null)
            request.Content = new ByteArrayContent(hostile.Body);
        foreach (var (name, value) in hostile.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    private static string? Finding(HttpResponseMessage response, string body)
    {
        var status = (int)response.StatusCode;
        if (status < 400 || IsOfTheServerItself(response, body))
            return null;
        if (status >= 500)
            return $"{status}: {body}";
        if (response.Content.Headers.ContentType?.MediaType is not "application/problem+json")
            return $"{status} is no problem+json but {response.Content.Headers.ContentType}: {body}";
        var problem = JsonDocument.Parse(body).RootElement;
        string? Member(string name) => problem.TryGetProperty(name, out var member) ? member.ToString() : null;
        var fits = Member("status") == status.ToString(CultureInfo.InvariantCulture)
            && Codes.Contains(Member("code") ?? "")
            && Member("message") is { Length: > 0 } message
            && Member("error") == message
            && Member("detail") == message
            && Member("instance") is not null
            && !message.Contains("System.", StringComparison.Ordinal);
        return fits ? null : $"{status} does not fit the contract: {body}";
    }

    /// <summary>Kestrel refuses some requests before it has read them so far that the service could see them: a NUL in the path, too long an address.</summary>
    private static bool IsOfTheServerItself(HttpResponseMessage response, string body) =>
        response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestUriTooLong or HttpStatusCode.RequestHeaderFieldsTooLarge
        && body.Length is 0 && response.Headers.ConnectionClose is true && !response.Headers.Contains("X-Request-Id");

    private async Task<string> StateAsync(string slug, bool create = false)
    {
        if (create)
            await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/spec", new { contentMarkdown = "# Żółć 🙂" }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        var spec = await (await Service.Http.GetAsync($"/projects/{slug}/spec", Cancelled)).ReadAsync(HttpStatusCode.OK);
        return $"{await Service.GetProjectAsync(slug)}{spec}";
    }
}
