using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Microsoft.Playwright;
using Serilog.Events;

namespace DataService.Tests.Jobs.Dashboard;

/// <summary>The dashboard behind an OpenID provider.</summary>
public sealed class OidcLoginTests(PostgresCluster cluster, OpenIdProvider provider, Browser browser)
    : ServiceTest(cluster), IClassFixture<OpenIdProvider>
{
    private const string Operator = "dataservice-operator";
    private const string Viewer = "dataservice-viewer";
    private const string Database = "ConnectionStrings:DataService";

    private readonly PostgresCluster _cluster = cluster;

    protected override Dictionary<string, string?> Settings => new()
    {
        ["Authentication:Oidc:Authority"] = provider.Address,
        ["Authentication:Oidc:ClientId"] = OpenIdProvider.ClientId,
        ["Authentication:Oidc:ClientSecret"] = OpenIdProvider.ClientSecret,
    };

    public override async ValueTask InitializeAsync()
    {
        (provider.IsDown, provider.RefusesCodes, provider.KnowsSigningOut) = (false, false, true);
        provider.Audience = OpenIdProvider.ClientId;
        provider.Person = OpenIdProvider.Somebody("Ada Lovelace", Operator);
        provider.Requests.Clear();
        await base.InitializeAsync();
    }

    [Fact]
    public async Task An_operator_comes_back_from_the_provider_to_the_page_that_was_asked_re_runs_a_job_and_signs_out_there_too()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 1 });
        var (slug, _) = await DashboardTests.FailAsync(Service, "Acme Shop");
        var page = await browser.OpenAsync(Service);
        var complaints = page.Complaints();

        await page.GotoAsync("/hangfire/jobs/failed");
        await Assertions.Expect(page.Locator("input")).ToHaveCountAsync(0);
        await Assertions.Expect(page.Locator("a.button")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.ArrivesAsync("**/hangfire/jobs/failed");
        await page.Locator(".js-jobs-list-checkbox").First.CheckAsync();
        await page.Locator(".js-jobs-list-command", new() { HasText = "Requeue jobs" }).ClickAsync();
        await Service.CreationReachesAsync(slug, "created");

        await page.GetByRole(AriaRole.Link, new() { Name = "Sign out (operator)" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Signed in: Ada Lovelace (ADA@example.com), operator.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.ArrivesAsync("**/hangfire/login");
        Assert.Contains(provider.Requests, request => request.StartsWith("/end-session?", StringComparison.Ordinal)
            && request.Contains("id_token_hint=", StringComparison.Ordinal));
        await page.GotoAsync("/hangfire");
        await page.ArrivesAsync("**/hangfire/login?*");
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task A_viewer_looks_and_is_refused_every_change()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission });
        var (_, jobId) = await DashboardTests.FailAsync(Service, "Looked at");
        provider.Person = OpenIdProvider.Somebody("Vera Viewer", Viewer);
        using var vera = NewVisitor();
        var page = await (await SignInAsync(vera, "/hangfire/jobs/failed")).Content.ReadAsStringAsync(Cancelled);
        Assert.Contains("Create repository for looked-at", page, StringComparison.Ordinal);

        var response = await DashboardTests.SendAsync(vera, page, "/hangfire/jobs/failed/requeue", jobId);

        await response.ReadProblemAsync(HttpStatusCode.Forbidden, "FORBIDDEN");
        await Service.JobReachesAsync(jobId, "Failed");
    }

    [Fact]
    public async Task Who_has_both_roles_is_an_operator()
    {
        provider.Person = OpenIdProvider.Somebody("Both", Viewer, Operator);
        using var both = NewVisitor();

        var page = await (await SignInAsync(both)).Content.ReadAsStringAsync(Cancelled);

        Assert.Contains("Sign out (operator)", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("someone-elses-role")]
    [InlineData("DATASERVICE-OPERATOR")]
    [InlineData("dataservice-operator dataservice-viewer")]
    public async Task Who_has_no_role_is_told_so_and_gets_no_session(string role)
    {
        provider.Person = OpenIdProvider.Somebody("<b>Nobody</b>", role);
        using var nobody = NewVisitor();

        var response = await SignInAsync(nobody);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        var page = await response.Content.ReadAsStringAsync(Cancelled);
        Assert.Contains("You are signed in as &lt;b&gt;Nobody&lt;/b&gt; (&lt;B&gt;NOBODY&lt;/B&gt;@example.com), but", page, StringComparison.Ordinal);
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("/hangfire/login", (await nobody.GetAsync("/hangfire", Cancelled)).RequestMessage!.RequestUri!.AbsolutePath);

        await nobody.GetAsync("/hangfire/login/start?somebody-else", Cancelled);

        Assert.Contains(provider.Requests, request => request.Contains("prompt=login", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_state_that_was_tampered_with_is_refused()
    {
        using var visitor = NewVisitor(followsRedirects: false);
        var back = await ComeBackAsync(visitor);

        var changed = back.Replace("state=", "state=x", StringComparison.Ordinal);
        foreach (var tampered in (string[])[changed, back.Split("&state=")[0], "/hangfire/signin-oidc"])
            await AssertRefusedAsync(await visitor.GetAsync(tampered, Cancelled));
    }

    [Fact]
    public async Task A_login_that_another_browser_began_is_refused()
    {
        using var attacker = NewVisitor(followsRedirects: false);
        using var victim = NewVisitor(followsRedirects: false);

        await AssertRefusedAsync(await victim.GetAsync(await ComeBackAsync(attacker), Cancelled));
    }

    [Fact]
    public async Task A_code_works_once()
    {
        using var visitor = NewVisitor(followsRedirects: false);
        var back = await ComeBackAsync(visitor);
        Assert.Equal(HttpStatusCode.Redirect, (await visitor.GetAsync(back, Cancelled)).StatusCode);

        await AssertRefusedAsync(await visitor.GetAsync(back, Cancelled));
    }

    [Fact]
    public async Task What_the_provider_refuses_or_makes_out_to_another_client_opens_nothing()
    {
        using var visitor = NewVisitor(followsRedirects: false);

        provider.RefusesCodes = true;
        await AssertRefusedAsync(await visitor.GetAsync(await ComeBackAsync(visitor), Cancelled));

        (provider.RefusesCodes, provider.Audience) = (false, "another-client");
        await AssertRefusedAsync(await visitor.GetAsync(await ComeBackAsync(visitor), Cancelled));
    }

    [Fact]
    public async Task While_the_provider_is_down_a_page_says_so_and_afterwards_it_works_again()
    {
        provider.IsDown = true;
        using var visitor = NewVisitor(followsRedirects: false);
        await AssertUnavailableAsync(await visitor.GetAsync("/hangfire/login/start", Cancelled));

        provider.IsDown = false;
        var back = await ComeBackAsync(visitor);
        provider.IsDown = true;
        await AssertUnavailableAsync(await visitor.GetAsync(back, Cancelled));

        provider.IsDown = false;
        using var later = NewVisitor();
        Assert.Equal("/hangfire", (await SignInAsync(later)).RequestMessage!.RequestUri!.AbsolutePath);

        static async Task AssertUnavailableAsync(HttpResponseMessage response)
        {
            Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
            var page = await response.Content.ReadAsStringAsync(Cancelled);
            Assert.Contains("localhost cannot sign you in at the moment.", page, StringComparison.Ordinal);
            Assert.DoesNotContain("Exception", page, StringComparison.Ordinal);
            Assert.Empty(SessionCookies(response));
        }
    }

    [Fact]
    public async Task The_token_opens_the_API_still_but_not_the_dashboard()
    {
        var response = await DashboardTests.LoginAsync(Service, RunningService.ApiToken);

        Assert.StartsWith("/hangfire/login?", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.Equal(HttpStatusCode.NotFound, (await Service.Http.GetAsync("/projects/nobody", Cancelled)).StatusCode);
    }

    [Fact]
    public async Task A_session_ends_when_what_it_rests_on_is_configured_no_more()
    {
        using var visitor = NewVisitor(followsRedirects: false);
        var oidc = Assert.Single(SessionCookies(await visitor.GetAsync(await ComeBackAsync(visitor), Cancelled)));
        var settings = new Dictionary<string, string?>(Settings) { [Database] = Service.ConnectionString };
        await using var same = await RunningService.StartAsync(_cluster, settings);
        await using var otherRole = await RunningService.StartAsync(_cluster, new(settings) { ["Authentication:Oidc:OperatorRole"] = "admins" });
        await using var tokens = await RunningService.StartAsync(_cluster, new() { [Database] = Service.ConnectionString });
        var token = Assert.Single(SessionCookies(await DashboardTests.LoginAsync(tokens, RunningService.ApiToken)));

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(same, oidc));
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(otherRole, oidc));
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(tokens, oidc));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(tokens, token));
        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(same, token));

        static async Task<HttpStatusCode> StatusAsync(RunningService at, string cookie)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/hangfire") { Headers = { { "Cookie", cookie.Split(';')[0] } } };
            return (await at.Anonymous.SendAsync(request, Cancelled)).StatusCode;
        }
    }

    [Fact]
    public async Task The_sessions_cookie_comes_along_from_another_site_and_is_closed_to_scripts()
    {
        using var visitor = NewVisitor(followsRedirects: false);

        var response = await visitor.GetAsync(await ComeBackAsync(visitor), Cancelled);

        var cookie = Assert.Single(SessionCookies(response));
        Assert.Contains("; samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; httponly", cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Signing_out_works_where_the_provider_has_no_page_for_it_or_is_down()
    {
        provider.KnowsSigningOut = false;
        using var visitor = NewVisitor();
        await SignInAsync(visitor);

        Assert.Equal("/hangfire/login", (await SignOutAsync(visitor)).RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Equal("/hangfire/login", (await visitor.GetAsync("/hangfire", Cancelled)).RequestMessage!.RequestUri!.AbsolutePath);

        provider.KnowsSigningOut = true;
        await SignInAsync(visitor);
        provider.IsDown = true;
        // Another instance, which has not read the provider's document.
        await using var other = await RunningService.StartAsync(_cluster, new(Settings) { [Database] = Service.ConnectionString });
        var signedOut = await SignOutAsync(visitor, other.Address.ToString().TrimEnd('/'));
        Assert.Equal("/hangfire/login", signedOut.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.Equal("/hangfire/login", (await visitor.GetAsync("/hangfire", Cancelled)).RequestMessage!.RequestUri!.AbsolutePath);
    }

    [Fact]
    public async Task No_secret_of_a_login_is_logged_or_shown()
    {
        using var visitor = NewVisitor();
        var page = await (await SignInAsync(visitor)).Content.ReadAsStringAsync(Cancelled);
        var goodbye = await (await SignOutAsync(visitor)).Content.ReadAsStringAsync(Cancelled);

        Assert.Contains("Signing you out at localhost", goodbye, StringComparison.Ordinal);
        // What the settings leave of the framework's own lines: below Warning, they have each address in full.
        var log = string.Join('\n', Service.Logs.Events
            .Where(e => e.Level >= LogEventLevel.Warning || !Source(e).StartsWith("Microsoft.", StringComparison.Ordinal))
            .Select(e => $"{e.RenderMessage(null)} {string.Join(' ', e.Properties)} {e.Exception}"));
        Assert.NotEmpty(log);
        Assert.NotEmpty(provider.Secrets);
        foreach (var secret in (string[])[OpenIdProvider.ClientSecret, .. provider.Secrets])
            Assert.DoesNotContain(secret, page + goodbye + log, StringComparison.Ordinal);

        static string Source(LogEvent e) => $"{e.Properties.GetValueOrDefault("SourceContext")}".Trim('"');
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 360)]
    public async Task The_pages_fit_their_window_and_break_no_rule_of_their_content_security_policy(ColorScheme scheme, int width)
    {
        provider.Person = OpenIdProvider.Somebody($"Nobody{new string('y', 80)}");
        var page = await browser.OpenAsync(Service);
        var complaints = page.Complaints();
        await page.EmulateMediaAsync(new() { ColorScheme = scheme });
        await page.SetViewportSizeAsync(width, 640);

        await page.GotoAsync("/hangfire/login");
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
        Assert.Equal("Sign in", await page.EvaluateAsync<string>("document.activeElement.textContent"));
        Assert.Empty(complaints);

        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("have no role here");
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
        // The browser itself remarks on the status.
        Assert.DoesNotContain(complaints, complaint => !complaint.Contains("403", StringComparison.Ordinal));
    }

    private static async Task AssertRefusedAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("Signing in did not work", await response.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Empty(SessionCookies(response));
    }

    private static IEnumerable<string> SessionCookies(HttpResponseMessage response) =>
        (response.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : [])
            .Where(cookie => cookie.StartsWith("dataservice.dashboard=", StringComparison.Ordinal));

    private static async Task<HttpResponseMessage> SignInAsync(HttpClient visitor, string returnUrl = "/hangfire") =>
        await visitor.GetAsync($"/hangfire/login/start?ReturnUrl={Uri.EscapeDataString(returnUrl)}", Cancelled);

    private static async Task<HttpResponseMessage> SignOutAsync(HttpClient visitor, string at = "")
    {
        var field = DashboardTests.HiddenField().Match(await visitor.GetStringAsync($"{at}/hangfire/logout", Cancelled));
        return await visitor.PostAsync(
            $"{at}/hangfire/logout", new FormUrlEncodedContent([new(field.Groups["name"].Value, field.Groups["value"].Value)]), Cancelled);
    }

    /// <returns>Where the provider sends the visitor, who has not gone there yet.</returns>
    private static async Task<string> ComeBackAsync(HttpClient visitor)
    {
        var there = await visitor.GetAsync("/hangfire/login/start", Cancelled);
        return (await visitor.GetAsync(there.Headers.Location, Cancelled)).Headers.Location!.ToString();
    }

    /// <summary>A browser's view: it keeps cookies.</summary>
    private HttpClient NewVisitor(bool followsRedirects = true) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = followsRedirects }) { BaseAddress = Service.Address };
}
