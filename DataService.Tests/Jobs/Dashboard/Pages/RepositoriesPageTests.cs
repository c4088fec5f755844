using System.Text.RegularExpressions;
using DataService.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Playwright;

namespace DataService.Tests.Jobs.Dashboard.Pages;

/// <summary>The list of the creations, and who may do what on our pages.</summary>
public sealed partial class RepositoriesPageTests(Desk desk, Browser browser) : IClassFixture<Desk>
{
    private const string List = "/hangfire/repositories";

    /// <summary>All that HTML gives a meaning to, and what turns a line around.</summary>
    private const string Hostile = """<script>alert(1)</script>"'&amp;<img src=x onerror=alert(2)> ‮ שלום عليكم""";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_failure_is_shown_with_all_that_is_known_of_it_and_its_code_says_what_to_do()
    {
        await desk.Service.AddFailedAsync(3, "GITHUB_FORBIDDEN", "shown");
        await desk.Service.AddFailedAsync(2, "GITHUB_NOT_FOUND", "shown-too");

        var text = Desk.TextOf(await Desk.ReadAsync(desk.Operator, $"{List}?q=shown&state=failed"));

        Assert.Matches("GITHUB_FORBIDDEN 3 .*The token lacks a right .* Re-run GITHUB_NOT_FOUND 2 .*GITHUB_ORG does not exist", text);
        Assert.Matches("shown-3 The shown 3 failed GITHUB_FORBIDDEN 403 Resource not accessible 1 20", text);
        Assert.Contains("Re-run all that match", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_filter_is_in_the_address_and_stands_in_the_form_and_in_the_links()
    {
        await desk.Service.AddFailedAsync(60, "GITHUB_VALIDATION", "bookmarked");

        var html = await Desk.ReadAsync(desk.Operator, $"{List}?state=failed,retrying&code=GITHUB_VALIDATION&since=90d&until=1m&q=bookmarked");

        Assert.Equal(["failed", "GITHUB_VALIDATION", "retrying"], Checked().Matches(html).Select(match => match.Groups["value"].Value).Order(StringComparer.OrdinalIgnoreCase));
        foreach (var field in (string[])["""name="q" type="search" value="bookmarked""", """name="since" value="90d""", """name="until" value="1m"""])
            Assert.Contains(field, html, StringComparison.Ordinal);
        var query = "state=failed&amp;state=retrying&amp;code=GITHUB_VALIDATION&amp;since=90d&amp;until=1m&amp;q=bookmarked";
        Assert.Contains($"{List}?{query}&amp;cursor=", html, StringComparison.Ordinal);
        Assert.Contains($"/hangfire/requeue?{query}\"", html, StringComparison.Ordinal);
        Assert.DoesNotContain("bookmarked-", await Desk.ReadAsync(desk.Operator, $"{List}?q=bookmarked&code=INTERNAL"), StringComparison.Ordinal);
        Assert.DoesNotContain("bookmarked-", await Desk.ReadAsync(desk.Operator, $"{List}?q=bookmarked&until=90d"), StringComparison.Ordinal);
        Assert.DoesNotContain("bookmarked-", await Desk.ReadAsync(desk.Operator, $"{List}?q=bookmarked&state=created"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pages_go_through_every_creation_once()
    {
        var slugs = await desk.Service.AddFailedAsync(120, "INTERNAL", "paged");

        var seen = new List<string>();
        var address = $"{List}?q=paged";
        while (address.Length > 0)
        {
            var html = await Desk.ReadAsync(desk.Viewer, address);
            seen.AddRange(Project().Matches(html).Select(match => match.Groups["slug"].Value));
            address = WebUtility.HtmlDecode(Next().Match(html).Groups["address"].Value);
        }

        Assert.Equal(slugs.Order(), seen.Order());
    }

    [Theory]
    [InlineData("state=lost", "'lost' is no state; there are queued,")]
    [InlineData("code=EVIL", "'EVIL' is no code; there are GITHUB_UNAUTHORIZED,")]
    [InlineData("since=yesterday", "since must be an ISO-8601 instant")]
    [InlineData("until=2026-01-05T09:30:00", "until must be an ISO-8601 instant")]
    [InlineData("q=ab", "The text must have at least 3 characters.")]
    [InlineData("q=a%00bc", "The text must not contain control characters.")]
    [InlineData("cursor=nowhere", "The address names a page that is none")]
    public async Task A_value_that_does_not_fit_is_refused_in_words_on_the_page(string query, string expected)
    {
        foreach (var page in (string[])[List, "/hangfire/requeue"])
        {
            if (page == List || !query.StartsWith("cursor", StringComparison.Ordinal))
                Assert.Contains(expected, Desk.TextOf(await Desk.ReadAsync(desk.Operator, $"{page}?{query}", HttpStatusCode.BadRequest)), StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task A_text_that_is_too_long_is_refused_and_stays_in_the_form()
    {
        var text = new string('x', 101);

        var html = await Desk.ReadAsync(desk.Operator, $"{List}?q={text}", HttpStatusCode.BadRequest);

        Assert.Contains($"value=\"{text}\"", html, StringComparison.Ordinal);
        Assert.Contains("at most 100 characters", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_others_have_written_is_shown_as_they_wrote_it_and_does_nothing()
    {
        var slug = Assert.Single(await desk.Service.AddFailedAsync(1, "GITHUB_VALIDATION", $"hostile"));
        await desk.Service.QueryAsync<object>(
            $"""
             UPDATE projects SET name = left($text${Hostile} $text$ || repeat('long', 100), 100) WHERE slug = '{slug}';
             UPDATE repo_creations SET github_error = $text${Hostile}$text$ || repeat('x', 300) WHERE project_id = (SELECT id FROM projects WHERE slug = '{slug}');
             INSERT INTO audit_entries (at, actor, origin, action, project_id, slug, count, reason, request_id)
             SELECT now(), $text${Hostile}$text$, 'rest', 'requeue', id, slug, 1, $text${Hostile}$text$, '<b>' FROM projects WHERE slug = '{slug}';
             """);
        var search = Uri.EscapeDataString(Hostile);
        var jobId = await desk.JobOfAsync(slug);
        var page = await desk.OpenAsync(browser, desk.Operator, width: 390);
        var complaints = page.Complaints();
        page.Dialog += (_, dialog) => Assert.Fail($"A page says {dialog.Message}");

        foreach (var address in (string[])[$"{List}?q=hostile", $"{List}?q={search}", $"{List}/{slug}", $"/hangfire/requeue?q={search}", $"/hangfire/jobs/details/{jobId}"])
        {
            await page.GotoAsync(address);
            Assert.Equal(0, await page.Locator("img, .ds-page script:not([src])").CountAsync());
            Assert.True(await FitsAsync(page) || address.Contains("/jobs/", StringComparison.Ordinal), $"{address} is wider than the window.");
            await Assertions.Expect(page.GetByText("<script>alert(1)</script>").Or(page.Locator($"input[value*='<script>']")).First).ToBeAttachedAsync();
        }

        Assert.Empty(complaints);
    }

    [Fact]
    public async Task A_viewer_sees_no_button_and_is_refused_each_POST_and_so_is_an_operators_without_the_antiforgery_token()
    {
        var slug = Assert.Single(await desk.Service.AddFailedAsync(1, "INTERNAL", "looked-at"));
        foreach (var page in (string[])[$"{List}?q=looked-at", $"{List}/{slug}", "/hangfire/requeue?q=looked-at"])
        {
            var html = await Desk.ReadAsync(desk.Viewer, page);
            Assert.DoesNotContain("method=\"post\"", html, StringComparison.Ordinal);
            Assert.DoesNotContain("/hangfire/requeue", html, StringComparison.Ordinal);
        }

        var before = await StateAsync();
        var routes = desk.Service.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.RoutePattern.RawText!.StartsWith("/hangfire/", StringComparison.Ordinal)
                && route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("POST") is true)
            .Select(route => route.RoutePattern.RawText!.Replace("{slug}", slug, StringComparison.Ordinal))
            .Where(route => route is not ("/hangfire/login" or "/hangfire/logout")).ToList();
        Assert.Equal(
            ["/hangfire/pause", $"{List}/{slug}/repository", $"{List}/{slug}/requeue", "/hangfire/requeue", "/hangfire/resume"], routes.Order(StringComparer.Ordinal));
        var token = await Desk.TokenAsync(desk.Operator);
        (string, string)[] fields = [("reason", "forged"), ("repository", "acme/forged"), ("state", "failed")];

        foreach (var route in routes)
        {
            foreach (var address in (string[])[route, route.ToUpperInvariant(), $"{route}/?x=/stats"])
            {
                await (await Desk.PostAsync(desk.Viewer, address, [token, .. fields])).ReadProblemAsync(HttpStatusCode.Forbidden, "FORBIDDEN");
                Assert.Equal(HttpStatusCode.BadRequest, (await Desk.PostAsync(desk.Operator, address, fields)).StatusCode);
                Assert.Equal(HttpStatusCode.Redirect, (await Desk.PostAsync(desk.Service.Anonymous, address, fields)).StatusCode);
            }
        }

        Assert.Equal(before, await StateAsync());
    }

    [Theory]
    [InlineData("/hangfire/pause")]
    [InlineData("/hangfire/resume")]
    [InlineData("/hangfire/repositories/acme/requeue")]
    [InlineData("/hangfire/repositories/acme/repository")]
    public async Task Who_signs_in_again_in_the_middle_of_a_command_comes_to_its_page(string address)
    {
        using var response = await desk.Operator.GetAsync(address, Cancelled);

        var page = address.Contains("acme", StringComparison.Ordinal) ? $"{List}/acme" : List;
        Assert.Equal((HttpStatusCode.Redirect, page), (response.StatusCode, response.Headers.Location!.ToString()));
    }

    [Fact]
    public async Task Our_pages_allow_no_script_and_no_style_but_from_their_own_files()
    {
        using var response = await desk.Operator.GetAsync(List, Cancelled);

        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 390)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task Each_page_fits_its_window_and_breaks_no_rule_of_its_policy(ColorScheme scheme, int width)
    {
        var slugs = await desk.Service.AddFailedAsync(2, "GITHUB_FORBIDDEN", $"fits-{scheme.ToString().ToLowerInvariant()}-{width}");
        var jobId = await desk.JobOfAsync(slugs[0]);
        var page = await desk.OpenAsync(browser, desk.Operator, scheme, width);
        var complaints = page.Complaints();

        foreach (var address in (string[])[List, $"{List}/{slugs[0]}", "/hangfire/requeue", "/hangfire", $"/hangfire/jobs/details/{jobId}"])
        {
            await page.GotoAsync(address, new() { WaitUntil = WaitUntilState.Load });
            // Hangfire's own table of a job's parameters is wider than a phone.
            Assert.True(await FitsAsync(page) || address.Contains("/jobs/", StringComparison.Ordinal), $"{address} is wider than the window.");
            var background = await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
            Assert.True(scheme is ColorScheme.Dark == background.StartsWith("rgb(34, 39, 46)", StringComparison.Ordinal), $"{address} is {background}");
            Assert.Empty(await page.EvaluateAsync<string[]>(
                """
                [...document.querySelectorAll('.ds-page input:not([type=hidden]), .ds-page button, .ds-page a')]
                    .filter(e => !(e.labels?.length || e.textContent.trim() || e.ariaLabel)).map(e => e.outerHTML)
                """));
        }

        Assert.True(complaints.Count is 0, string.Join("\n", complaints));
    }

    private static Task<bool> FitsAsync(IPage page) => page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth");

    private Task<string?> StateAsync() => desk.Service.QueryAsync<string>("""
        SELECT concat_ws(' ', (SELECT count(*) FROM hangfire.state), (SELECT count(*) FROM hangfire.jobqueue), (SELECT count(*) FROM audit_entries),
            (SELECT count(*) FROM creation_pause), (SELECT count(*) FROM projects WHERE github_repo IS NOT NULL))
        """);

    [GeneratedRegex("""value="(?<value>[^"]+)" checked""")]
    private static partial Regex Checked();

    [GeneratedRegex("""<th scope="row"[^>]*data-label="Project"[^>]*><a href="/hangfire/repositories/(?<slug>[^"]+)">""")]
    private static partial Regex Project();

    [GeneratedRegex("""rel="next" href="(?<address>[^"]+)">""")]
    private static partial Regex Next();
}
