using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Operator;

/// <summary>
/// The service's API. What it answers with is an answer or a <see cref="ScriptException"/> that says what to do. All calls of the scripts may
/// be sent twice: where the service asks for a break, it is taken, and the call sent again.
/// </summary>
internal sealed class ServiceClient : IDisposable
{
    /// <summary>How the service tells scripts from other callers in its audit.</summary>
    private const string Agent = "dataservice-scripts";

    /// <summary>Longer than any batch takes.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan UnstatedBreak = TimeSpan.FromSeconds(5);

    /// <summary>A service that is away for longer needs a person.</summary>
    private static readonly TimeSpan LongestBreaks = TimeSpan.FromMinutes(5);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectRequiredConstructorParameters = true,
    };

    private readonly HttpClient _http;
    private readonly Interruption _interruption;
    private readonly Uri _address;

    /// <param name="script">For the service's log.</param>
    /// <param name="address">Ends in a slash.</param>
    /// <param name="token">The bearer token.</param>
    /// <param name="interruption">The first signal ends breaks, the second one calls.</param>
    public ServiceClient(string script, Uri address, string token, Interruption interruption)
    {
        (_address, _interruption) = (address, interruption);
        // A redirect would carry the token to wherever it leads.
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(10) })
        {
            BaseAddress = address,
            Timeout = CallTimeout,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        _http.DefaultRequestHeaders.UserAgent.ParseAdd($"{Agent}/1 ({script})");
        _http.DefaultRequestHeaders.Accept.ParseAdd("application/json");
    }

    public Task<T> GetAsync<T>(string path) => SendAsync<T>(() => new HttpRequestMessage(HttpMethod.Get, path));

    /// <param name="path">Relative.</param>
    /// <param name="body">Null for none; what is null in it is left out.</param>
    public Task<T> PostAsync<T>(string path, object? body = null) => SendAsync<T>(() => new HttpRequestMessage(HttpMethod.Post, path)
    {
        Content = body is null ? null : JsonContent.Create(body, body.GetType(), options: Json),
    });

    public void Dispose() => _http.Dispose();

    private async Task<T> SendAsync<T>(Func<HttpRequestMessage> request)
    {
        for (var rested = TimeSpan.Zero; ;)
        {
            var (answer, pause, refusal) = await TrySendAsync<T>(request);
            if (refusal is null)
                return answer!;
            if (pause is not { } wait || rested + wait > LongestBreaks)
                throw refusal;
            await Console.Error.WriteLineAsync(
                Screen.Plain($"{refusal.Message} Going on in {Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture)} s ..."));
            await Task.Delay(wait, _interruption.Asked);
            rested += wait;
        }
    }

    /// <returns>The answer; or the refusal, with the break after which the call may be sent again, null where that is of no use.</returns>
    private async Task<(T? Answer, TimeSpan? Pause, ScriptException? Refusal)> TrySendAsync<T>(Func<HttpRequestMessage> request)
    {
        using var message = request();
        HttpResponseMessage response;
        string body;
        try
        {
            response = await _http.SendAsync(message, HttpCompletionOption.ResponseContentRead, _interruption.Insisted);
            body = await response.Content.ReadAsStringAsync(_interruption.Insisted);
        }
        catch (HttpRequestException exception)
        {
            return (default, null, new ScriptException(
                ExitCode.NotReachable,
                $"The service at {Shown} does not answer: {Innermost(exception)}. Is it running there? Set --url or {CommonOptions.AddressVariable}."));
        }
        catch (TaskCanceledException) when (!_interruption.Insisted.IsCancellationRequested)
        {
            return (default, null, new ScriptException(
                ExitCode.NotReachable, $"The service at {Shown} has not answered within {CallTimeout.TotalSeconds:0} s; what it was asked may have been done."));
        }

        using (response)
        {
            if (response.IsSuccessStatusCode)
                return Parse<T>(body) is { } answer ? (answer, null, null) : (default, null, NotOurs(response));
            return (default, Break(response), Refusal(response, body));
        }
    }

    private string Shown => _address.ToString().TrimEnd('/');

    private ScriptException Refusal(HttpResponseMessage response, string body)
    {
        var status = (int)response.StatusCode;
        if (status is >= 300 and < 400)
        {
            return new ScriptException(
                ExitCode.Failed,
                $"{Shown} answers {status}, a redirect{(response.Headers.Location is { } to ? $" to {to}" : "")}. It is not followed with the token: "
                + "give --url the address at which the API itself answers.");
        }

        // Also a proxy before the service may be the one that answers.
        var problem = Parse<ProblemAnswer>(body);
        if (problem?.Code is null)
            return status is 429 or >= 500 ? new ScriptException(ExitCode.Failed, $"{Shown} answers {status}.") : NotOurs(response);
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => new ScriptException(
                ExitCode.NotAllowed, $"{Shown} does not know the token (401): set API_TOKEN, or --token-file, to the one that the service is configured with."),
            HttpStatusCode.Forbidden => new ScriptException(
                ExitCode.NotAllowed, $"The token is a viewer's (403): it only looks, and this changes something. Use an operator's, from API_TOKEN."),
            _ => new ScriptException(
                // What a script sends is what its options say.
                problem.Code is "VALIDATION_ERROR" ? ExitCode.Usage : ExitCode.Failed,
                $"{Said(problem)} ({status} {problem.Code}{(status >= 500 && RequestId(response) is { } id ? $", X-Request-Id {id}" : "")})"),
        };
    }

    /// <summary>The texts of the fields, where there are any: the message is made of them. A text that does not name its field gets its name.</summary>
    private static string Said(ProblemAnswer problem) => problem.Errors is { Count: > 0 } errors
        ? string.Join(' ', errors.SelectMany(field => field.Value.Select(text => text.Contains(field.Key, StringComparison.Ordinal) ? text : $"{field.Key}: {text}")))
        : problem.Message ?? "";

    private ScriptException NotOurs(HttpResponseMessage response) => new(
        ExitCode.Failed,
        $"What answers at {Shown} is not DataService's API: {(int)response.StatusCode} with {response.Content.Headers.ContentType?.MediaType ?? "no content type"}. "
        + $"Check --url and {CommonOptions.AddressVariable}, and proxies on the way.");

    private static TimeSpan? Break(HttpResponseMessage response) => response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable
        ? response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - DateTimeOffset.UtcNow is { Ticks: > 0 } wait ? wait : TimeSpan.Zero,
            _ => UnstatedBreak,
        }
        : null;

    private static string? RequestId(HttpResponseMessage response) => response.Headers.TryGetValues("X-Request-Id", out var ids) ? ids.First() : null;

    private static T? Parse<T>(string body)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(body, Json);
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private static string Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception.Message.TrimEnd('.');

    private sealed record ProblemAnswer(string? Code = null, string? Message = null, Dictionary<string, string[]>? Errors = null);
}
