using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Microsoft.Playwright;

namespace DataService.Tests.Jobs.Dashboard.Pages;

/// <summary>One project on the operator's desk, with a service that works.</summary>
public sealed class ProjectPageTests(PostgresCluster cluster, Browser browser) : ServiceTest(cluster)
{
    [Fact]
    public async Task An_operator_logs_in_sees_a_failure_understands_it_re_runs_it_and_sees_it_created()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 1 });
        var (slug, jobId) = await DashboardTests.FailAsync(Service, "Acme Shop");
        var page = await browser.OpenAsync(Service);
        var complaints = page.Complaints();

        await page.GotoAsync("/hangfire");
        await page.GetByLabel("API token").FillAsync(RunningService.ApiToken);
        await page.Keyboard.PressAsync("Enter");
        await page.ArrivesAsync("**/hangfire");
        await Assertions.Expect(Metric(page, "failed")).ToHaveTextAsync("1");
        await Assertions.Expect(Metric(page, "budget")).ToHaveTextAsync("no limit");
        await page.GetByRole(AriaRole.Link, new() { Name = "Repositories" }).ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = "Grant it or renew the token, then re-run these." })).ToContainTextAsync("GITHUB_FORBIDDEN");
        await page.GetByRole(AriaRole.Link, new() { Name = slug }).ClickAsync();
        await Assertions.Expect(page.GetByText("Resource not accessible by personal access token").First).ToBeVisibleAsync();
        await page.GetByLabel("Reason, if there is more to say").FillAsync("The right was granted.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Re-run" }).ClickAsync();
        await Assertions.Expect(page.GetByText("The creation is enqueued.")).ToBeVisibleAsync();
        await Service.CreationReachesAsync(slug, "created");
        await page.ReloadAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "attempt" })).ToHaveCountAsync(4);
        foreach (var told in (string[])["Approved.", "attempt 1 Begins with the name acme-shop.", "failed Resource not accessible", "Re-run. The right was granted.", "created auditmos-projects/acme-shop"])
            await Assertions.Expect(page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = told })).ToHaveCountAsync(1);
        var repository = page.GetByRole(AriaRole.Link, new() { Name = "auditmos-projects/acme-shop" });
        Assert.Equal($"{Service.GitHubAddress}auditmos-projects/acme-shop", await repository.GetAttributeAsync("href"));
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Re-run" })).ToHaveCountAsync(0);

        await page.GetByRole(AriaRole.Link, new() { Name = "in Hangfire" }).ClickAsync();
        await page.ArrivesAsync($"**/jobs/details/*");
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = "The creation" })).ToContainTextAsync("created");
        Assert.True(await page.EvaluateAsync<bool>(
            "document.querySelector('.ds-job').getBoundingClientRect().top < document.querySelector('.job-snippet').getBoundingClientRect().top"));
        await page.GotoAsync($"/hangfire/jobs/details/{jobId}");
        await Assertions.Expect(page.GetByRole(AriaRole.Region, new() { Name = "The creation" })).ToContainTextAsync("acme-shop");
        Assert.Empty(complaints);
        Assert.Equal("dashboard api token 1 The right was granted.", await AuditedAsync("requeue"));
    }

    [Fact]
    public async Task A_chosen_repository_settles_a_failure_and_a_pause_holds_until_it_is_resumed()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 1 });
        var (slug, _) = await DashboardTests.FailAsync(Service, "Settled by hand");
        using var admin = await DashboardTests.SignInAsync(Service);
        var page = $"/hangfire/repositories/{slug}";

        using var wrong = await Desk.SubmitAsync(admin, page, $"{page}/repository", ("repository", "<script>"));
        using var chosen = await Desk.SubmitAsync(admin, page, $"{page}/repository", ("repository", "acme/settled"));
        using var again = await Desk.PostAsync(admin, $"{page}/requeue", await Desk.TokenAsync(admin));
        using var unexplained = await Desk.SubmitAsync(admin, page, "/hangfire/pause", ("reason", ""));
        using var paused = await Desk.SubmitAsync(admin, page, "/hangfire/pause", ("reason", "GitHub <moves> us."));
        var whilePaused = await Desk.ReadAsync(admin, "/hangfire/repositories");
        var figures = await Eventually.ReturnsAsync(() => admin.GetStringAsync("/hangfire", Cancelled), html => html.Contains("moves", StringComparison.Ordinal), "the home page to show the pause");
        using var resumed = await Desk.SubmitAsync(admin, "/hangfire/repositories", "/hangfire/resume", ("reason", "Moved."));

        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Contains("Give the repository as owner/name.", await wrong.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Redirect, $"{page}?done=chosen"), (chosen.StatusCode, chosen.Headers.Location!.ToString()));
        var project = await Service.GetProjectAsync(slug);
        Assert.Equal(("acme/settled", "skipped"), (project.GetProperty("githubRepo").GetString(), project.GetProperty("repoCreation").GetProperty("state").GetString()));
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        Assert.Contains("The project has a repository already: acme/settled.", Desk.TextOf(await again.Content.ReadAsStringAsync(Cancelled)), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.BadRequest, unexplained.StatusCode);
        Assert.Equal((page, "/hangfire/repositories"), (paused.Headers.Location!.ToString(), resumed.Headers.Location!.ToString()));
        Assert.Contains("GitHub <moves> us.", Desk.TextOf(whilePaused), StringComparison.Ordinal);
        Assert.Contains("Paused since 20", figures, StringComparison.Ordinal);
        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM creation_pause"));
        Assert.Equal("dashboard api token 1", await AuditedAsync("choose_repository"));
        Assert.Equal("dashboard api token 1 GitHub <moves> us.", await AuditedAsync("pause"));
        Assert.Equal("dashboard api token 1 Moved.", await AuditedAsync("resume"));
    }

    [Fact]
    public async Task What_is_not_there_or_not_approved_is_said_on_the_page()
    {
        var slug = await Service.CreateProjectAsync("Not approved");
        using var admin = await DashboardTests.SignInAsync(Service);
        var page = $"/hangfire/repositories/{slug}";
        var token = await Desk.TokenAsync(admin);

        using var refused = await Desk.PostAsync(admin, $"{page}/requeue", token);
        using var nowhere = await Desk.PostAsync(admin, "/hangfire/repositories/nobody/requeue", token);

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.NotFound), (refused.StatusCode, nowhere.StatusCode));
        Assert.Contains("The project is not approved yet", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        foreach (var other in (string[])["nobody", Uri.EscapeDataString("<script>"), new string('x', 3_000)])
        {
            var html = await Desk.ReadAsync(admin, $"/hangfire/repositories/{other}", HttpStatusCode.NotFound);
            Assert.Contains("There is no project", html, StringComparison.Ordinal);
            Assert.DoesNotContain("'<script>'", html, StringComparison.Ordinal);
        }
    }

    private Task<string?> AuditedAsync(string action) => Service.QueryAsync<string>(
        $"SELECT string_agg(concat_ws(' ', origin, actor, count, reason), '; ') FROM audit_entries WHERE action = '{action}'");

    private static ILocator Metric(IPage page, string name) => page.Locator($".metric-body[data-metric='creations:{name}']");
}
