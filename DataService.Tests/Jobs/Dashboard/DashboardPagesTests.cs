using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Microsoft.Playwright;

namespace DataService.Tests.Jobs.Dashboard;

/// <summary>The dashboard as a person at a browser meets it.</summary>
public sealed class DashboardPagesTests(PostgresCluster cluster, Browser browser) : ServiceTest(cluster)
{
    [Fact]
    public async Task The_link_that_carries_the_token_logs_in_at_once_and_leaves_no_trace_of_it()
    {
        var page = await browser.OpenAsync(Service);

        await page.GotoAsync($"/hangfire/login#token={RunningService.ApiToken}");

        await page.ArrivesAsync("**/hangfire");
        Assert.DoesNotContain(RunningService.ApiToken, page.Url, StringComparison.Ordinal);
        await page.GoBackAsync();
        Assert.DoesNotContain(RunningService.ApiToken, page.Url, StringComparison.Ordinal);
        Assert.DoesNotContain(RunningService.ApiToken, Service.Logs.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_with_a_wrong_token_ends_at_the_form_with_a_word_on_it()
    {
        var page = await browser.OpenAsync(Service);

        await page.GotoAsync("/hangfire/login#token=not-the-right-one");

        await Assertions.Expect(page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("That is not a valid token.");
    }

    [Fact]
    public async Task The_admin_logs_in_sees_a_failure_re_runs_it_and_signs_out_by_keyboard_and_mouse()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 1 });
        var slug = await Service.CreateProjectAsync("Acme Shop 1a2b3c4d");
        await Service.ApproveAsync(slug);
        var failed = await Service.CreationReachesAsync(slug, "failed");
        await Service.JobReachesAsync(failed.GetProperty("repoCreation").GetProperty("jobId").GetString()!, "Failed");
        var page = await browser.OpenAsync(Service);

        await page.GotoAsync("/hangfire/jobs/failed");
        await page.GetByLabel("API token").FillAsync(RunningService.ApiToken);
        await page.Keyboard.PressAsync("Enter");
        await page.ArrivesAsync("**/hangfire/jobs/failed");
        await Assertions.Expect(page.GetByText("Create repository for acme-shop-1a2b3c4d")).ToBeVisibleAsync();
        await Assertions.Expect(page.GetByText("GITHUB_FORBIDDEN (403): Resource not accessible").First).ToBeVisibleAsync();
        await page.Locator(".js-jobs-list-checkbox").First.CheckAsync();
        await page.Locator(".js-jobs-list-command", new PageLocatorOptions { HasText = "Requeue jobs" }).ClickAsync();

        await Service.CreationReachesAsync(slug, "created");

        await page.GetByRole(AriaRole.Link, new PageGetByRoleOptions { Name = "Sign out" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new PageGetByRoleOptions { Name = "Sign out" }).ClickAsync();
        await page.ArrivesAsync("**/hangfire/login");
        await page.GotoAsync("/hangfire");
        await page.ArrivesAsync("**/hangfire/login*");
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 360)]
    public async Task The_login_fits_its_window_and_breaks_no_rule_of_its_content_security_policy(ColorScheme scheme, int width)
    {
        var page = await browser.OpenAsync(Service);
        var complaints = new List<string>();
        page.Console += (_, message) => complaints.Add(message.Text);
        page.PageError += (_, error) => complaints.Add(error);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
        await page.SetViewportSizeAsync(width, 640);

        await page.GotoAsync("/hangfire/login");

        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"));
        Assert.Empty(complaints);
        Assert.True(await page.EvaluateAsync<bool>("document.activeElement.id === 'token'"));
    }
}
