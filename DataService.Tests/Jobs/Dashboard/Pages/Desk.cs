using System.Text.RegularExpressions;
using DataService.Tests.Support;
using Microsoft.Playwright;

namespace DataService.Tests.Jobs.Dashboard.Pages;

/// <summary>A service without workers, so that nothing but the tests of a class changes a creation, and an operator and a viewer at its dashboard.</summary>
public sealed partial class Desk(PostgresCluster cluster) : IAsyncLifetime
{
    public const string ViewerToken = "canary-viewer-token-61aa0f";

    private RunningService? _service;
    private HttpClient? _operator;
    private HttpClient? _viewer;

    internal RunningService Service => _service!;

    internal HttpClient Operator => _operator!;

    internal HttpClient Viewer => _viewer!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartAsync(
            cluster, new() { ["VIEWER_TOKEN"] = ViewerToken, ["GitHub:ContentBudget"] = "1/s, 60/min, 400/h" }, StoredCreations.WithoutWorkers);
        _operator = await DashboardTests.SignInAsync(_service);
        _viewer = await DashboardTests.SignInAsync(_service, token: ViewerToken);
    }

    public async ValueTask DisposeAsync()
    {
        _operator?.Dispose();
        _viewer?.Dispose();
        if (_service is not null)
            await _service.DisposeAsync();
    }

    /// <summary>A page of a browser that is signed in as the visitor is: logins are counted, and few.</summary>
    internal async Task<IPage> OpenAsync(Browser browser, HttpClient visitor, ColorScheme scheme = ColorScheme.Light, int width = 1280, int height = 900)
    {
        var page = await browser.OpenAsync(Service);
        await page.Context.AddCookiesAsync(visitor.DefaultRequestHeaders.GetValues("Cookie").Single().Split("; ").Select(pair => pair.Split('=', 2))
            .Select(pair => new Microsoft.Playwright.Cookie { Name = pair[0], Value = pair[1], Domain = "127.0.0.1", Path = "/" }));
        await page.EmulateMediaAsync(new() { ColorScheme = scheme });
        await page.SetViewportSizeAsync(width, height);
        return page;
    }

    internal static async Task<string> ReadAsync(HttpClient visitor, string address, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var response = await visitor.GetAsync(address, Cancelled);
        var html = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.True(response.StatusCode == expected, $"{address}: {(int)response.StatusCode}: {html}");
        Assert.Equal("text/html; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        return html;
    }

    /// <summary>Sends what the form on a page would send.</summary>
    /// <param name="visitor">Who.</param>
    /// <param name="page">Where the form is.</param>
    /// <param name="action">Where it goes.</param>
    /// <param name="fields">What was typed, beside the form's hidden fields.</param>
    internal static async Task<HttpResponseMessage> SubmitAsync(HttpClient visitor, string page, string action, params (string Name, string Value)[] fields)
    {
        var html = await ReadAsync(visitor, page);
        var form = Form().Matches(html).Single(match => match.Groups["action"].Value == action).Value;
        return await PostAsync(visitor, action, [.. Hidden(form), .. fields]);
    }

    internal static Task<HttpResponseMessage> PostAsync(HttpClient visitor, string action, params IEnumerable<(string Name, string Value)> fields) =>
        visitor.PostAsync(action, new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))), Cancelled);

    internal static IEnumerable<(string Name, string Value)> Hidden(string html) => Field().Matches(html)
        .Select(match => (match.Groups["name"].Value, WebUtility.HtmlDecode(match.Groups["value"].Value)));

    /// <summary>The job of a stored creation, with what Hangfire's own page of a failed job asks for.</summary>
    internal async Task<string> JobOfAsync(string slug) => (await Service.QueryAsync<string>(
        $$"""
        UPDATE hangfire.state s SET data = '{"FailedAt":"1700000000000","ExceptionType":"JobFailedException","ExceptionMessage":"GITHUB_FORBIDDEN (403)","ExceptionDetails":"GITHUB_FORBIDDEN (403)"}'
        FROM repo_creations c JOIN projects p ON p.id = c.project_id WHERE p.slug = '{{slug}}' AND s.jobid::text = c.job_id AND s.name = 'Failed' RETURNING s.jobid::text
        """))!;

    /// <summary>What a hand-made POST needs of the pages' forms.</summary>
    internal static async Task<(string Name, string Value)> TokenAsync(HttpClient visitor) => Hidden(await ReadAsync(visitor, "/hangfire/repositories")).First();

    /// <summary>What a reader sees of the page, by and large.</summary>
    internal static string TextOf(string html) => Spaces().Replace(WebUtility.HtmlDecode(Tag().Replace(html, " ")), " ");

    [GeneratedRegex("""<form[^>]*action="(?<action>[^"]+)".*?</form>""", RegexOptions.Singleline)]
    private static partial Regex Form();

    [GeneratedRegex("""<input type="hidden" name="(?<name>[^"]+)" value="(?<value>[^"]*)">""")]
    private static partial Regex Field();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
