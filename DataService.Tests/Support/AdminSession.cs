using System.Text.RegularExpressions;

namespace DataService.Tests.Support;

/// <summary>A person in the dashboard: signed in, and sending what its pages' own script sends.</summary>
internal sealed partial class AdminSession : IDisposable
{
    private readonly HttpClient _http;

    private AdminSession(HttpClient http) => _http = http;

    public static async Task<AdminSession> OpenAsync(RunningService service)
    {
        var cancelled = TestContext.Current.CancellationToken;
        var login = await service.Anonymous.PostAsync("/hangfire/login", new FormUrlEncodedContent([new("token", RunningService.ApiToken)]), cancelled);
        var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = service.Address };
        http.DefaultRequestHeaders.Add("Cookie", Cookies(login));
        using var page = await http.GetAsync("/hangfire", cancelled);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        http.DefaultRequestHeaders.Remove("Cookie");
        http.DefaultRequestHeaders.Add("Cookie", $"{Cookies(login)}; {Cookies(page)}");
        return new AdminSession(http);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Presses a button of a page.</summary>
    /// <param name="page">Where the button is.</param>
    /// <param name="button">What it calls, below the page.</param>
    /// <param name="jobId">The row that is chosen.</param>
    /// <param name="requestId">Sent along; null for none.</param>
    public async Task PressAsync(string page, string button, string jobId, string? requestId = null)
    {
        var cancelled = TestContext.Current.CancellationToken;
        var html = await _http.GetStringAsync(page, cancelled);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{page}/{button}") { Content = new FormUrlEncodedContent([new("jobs[]", jobId)]) };
        request.Headers.Add(Header().Match(html).Groups["value"].Value, Token().Match(html).Groups["value"].Value);
        if (requestId is not null)
            request.Headers.Add("X-Request-Id", requestId);
        using var answer = await _http.SendAsync(request, cancelled);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    /// <summary>Does what the pages do by themselves every few seconds.</summary>
    public async Task AskForFiguresAsync()
    {
        var cancelled = TestContext.Current.CancellationToken;
        var html = await _http.GetStringAsync("/hangfire", cancelled);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/hangfire/stats") { Content = new FormUrlEncodedContent([new("metrics[]", "servers:count")]) };
        request.Headers.Add(Header().Match(html).Groups["value"].Value, Token().Match(html).Groups["value"].Value);
        using var answer = await _http.SendAsync(request, cancelled);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static string Cookies(HttpResponseMessage answer) => string.Join("; ", answer.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0]));

    [GeneratedRegex("""name="csrf-header" content="(?<value>[^"]+)""")]
    private static partial Regex Header();

    [GeneratedRegex("""name="csrf-token" content="(?<value>[^"]+)""")]
    private static partial Regex Token();
}
