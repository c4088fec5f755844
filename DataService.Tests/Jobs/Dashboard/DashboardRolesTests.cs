using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire.Dashboard;
using Microsoft.Playwright;

namespace DataService.Tests.Jobs.Dashboard;

/// <summary>Who may do what in the dashboard: decided by the server, whatever the page shows.</summary>
public sealed partial class DashboardRolesTests(PostgresCluster cluster, Browser browser) : ServiceTest(cluster)
{
    private const string ViewerToken = "canary-viewer-token-61aa0f";

    private readonly PostgresCluster _cluster = cluster;

    protected override Dictionary<string, string?> Settings => new() { ["VIEWER_TOKEN"] = ViewerToken };

    [Fact]
    public async Task A_viewer_is_refused_every_POST_of_Hangfire_and_nothing_changes_until_an_operator_sends_the_same()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission });
        var (_, jobId) = await DashboardTests.FailAsync(Service, "Only looked at");
        using var viewer = await DashboardTests.SignInAsync(Service, token: ViewerToken);
        var page = await viewer.GetStringAsync("/hangfire/jobs/failed", Cancelled);
        var before = await StateAsync();
        var routes = Routes(jobId).ToList();
        // The routes come from Hangfire itself, so that a new one is not forgotten; these show that they do.
        foreach (var expected in (string[])["/jobs/failed/requeue", "/recurring/trigger", $"/jobs/actions/delete/{jobId}"])
            Assert.Contains(expected, routes);

        foreach (var route in routes)
        {
            foreach (var address in (string[])[$"/hangfire{route}", $"/HangFire{route}/", $"/hangfire/stats/..{route}", $"/hangfire{route}?x=/stats"])
                await AssertForbiddenAsync(await DashboardTests.SendAsync(viewer, page, address, jobId));
        }

        Assert.Equal(before, await StateAsync());
        using var admin = await DashboardTests.SignInAsync(Service);
        var requeued = await DashboardTests.RequeueAsync(admin, await admin.GetStringAsync("/hangfire/jobs/failed", Cancelled), jobId);
        Assert.Equal(HttpStatusCode.NoContent, requeued.StatusCode);
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("ANYTHING")]
    public async Task A_viewer_is_refused_every_method_that_is_not_made_for_looking(string method)
    {
        using var viewer = await DashboardTests.SignInAsync(Service, token: ViewerToken);

        foreach (var path in (string[])["/hangfire", "/hangfire/jobs/failed/requeue", "/hangfire/nothing-yet"])
            await AssertForbiddenAsync(await viewer.SendAsync(new HttpRequestMessage(new HttpMethod(method), path), Cancelled));
    }

    [Fact]
    public async Task The_API_token_in_a_header_lends_a_viewers_session_nothing()
    {
        using var viewer = await DashboardTests.SignInAsync(Service, token: ViewerToken);
        viewer.DefaultRequestHeaders.Authorization = new("Bearer", RunningService.ApiToken);

        await AssertForbiddenAsync(await viewer.PostAsync("/hangfire/jobs/failed/requeue", null, Cancelled));
    }

    [Fact]
    public async Task A_viewer_sees_the_figures_and_the_jobs_without_a_button_and_signs_out()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission });
        await DashboardTests.FailAsync(Service, "Only looked at");
        var page = await browser.OpenAsync(Service);
        var complaints = page.Complaints();

        await page.GotoAsync("/hangfire/jobs/failed");
        await page.GetByLabel("API token or viewer token").FillAsync(ViewerToken);
        await page.Keyboard.PressAsync("Enter");
        await page.ArrivesAsync("**/hangfire/jobs/failed");
        await Assertions.Expect(page.GetByText("Create repository for only-looked-at")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".js-jobs-list-command, .js-jobs-list-checkbox")).ToHaveCountAsync(0);
        var figures = await page.RunAndWaitForResponseAsync(() => page.GotoAsync("/hangfire"), "**/hangfire/stats");
        Assert.Equal(("POST", 200), (figures.Request.Method, figures.Status));

        await page.GetByRole(AriaRole.Link, new() { Name = "Sign out (viewer)" }).ClickAsync();
        await Assertions.Expect(page.GetByText("Signed in: viewer token, viewer.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.ArrivesAsync("**/hangfire/login");
        Assert.Empty(complaints);
    }

    [Theory]
    [InlineData("another-viewer-token-0001", RunningService.ApiToken)]
    [InlineData("", RunningService.ApiToken)]
    [InlineData("another-viewer-token-0001", $"{RunningService.ApiToken},{ViewerToken}")]
    public async Task Replacing_the_viewers_token_or_raising_it_ends_the_viewers_sessions_and_no_others(string viewerToken, string apiToken)
    {
        using var viewer = await DashboardTests.SignInAsync(Service, token: ViewerToken);
        using var admin = await DashboardTests.SignInAsync(Service);
        await using var later = await RunningService.StartAsync(_cluster, new()
        {
            ["ConnectionStrings:DataService"] = Service.ConnectionString,
            ["API_TOKEN"] = apiToken,
            ["VIEWER_TOKEN"] = viewerToken,
        });

        Assert.Equal(HttpStatusCode.Redirect, await StatusAsync(viewer));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(admin));

        async Task<HttpStatusCode> StatusAsync(HttpClient visitor)
        {
            var cookies = visitor.DefaultRequestHeaders.GetValues("Cookie");
            using var request = new HttpRequestMessage(HttpMethod.Get, "/hangfire") { Headers = { { "Cookie", cookies } } };
            return (await later.Anonymous.SendAsync(request, Cancelled)).StatusCode;
        }
    }

    [Fact]
    public async Task Guessing_the_viewers_token_is_slowed_down_too()
    {
        for (var i = 0; i < 10; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await DashboardTests.LoginAsync(Service, $"{ViewerToken}{i}")).StatusCode);

        await (await DashboardTests.LoginAsync(Service, ViewerToken)).ReadProblemAsync(HttpStatusCode.TooManyRequests, "RATE_LIMITED");
    }

    [Fact]
    public async Task No_viewer_token_is_logged_or_kept_in_the_cookie()
    {
        var login = await DashboardTests.LoginAsync(Service, ViewerToken);

        var cookie = Assert.Single(login.Headers.GetValues("Set-Cookie"));
        Assert.DoesNotContain(ViewerToken, Service.Logs.Text + cookie, StringComparison.Ordinal);
    }

    /// <summary>All that Hangfire's dashboard answers but its figures, with the job for each parameter of a path.</summary>
    private static IEnumerable<string> Routes(string jobId)
    {
        var registered = typeof(RouteCollection).GetField("_dispatchers", BindingFlags.NonPublic | BindingFlags.Instance)!;
        return ((IEnumerable)registered.GetValue(DashboardRoutes.Routes)!).Cast<Tuple<string, IDashboardDispatcher>>()
            .Select(route => Parameter().Replace(route.Item1, jobId)).Where(route => route is not "/stats");
    }

    private static async Task AssertForbiddenAsync(HttpResponseMessage response) =>
        await response.ReadProblemAsync(HttpStatusCode.Forbidden, "FORBIDDEN");

    private Task<string?> StateAsync() => Service.QueryAsync<string>("""
        SELECT concat_ws(' ',
            (SELECT string_agg(concat(id, statename), ',' ORDER BY id) FROM hangfire.job), (SELECT count(*) FROM hangfire.state),
            (SELECT count(*) FROM hangfire.jobqueue), (SELECT string_agg(concat(state, attempts), ',') FROM repo_creations))
        """);

    [GeneratedRegex(@"\(\?<\w+>\.\+\)|\[0-9\]\+")]
    private static partial Regex Parameter();
}
