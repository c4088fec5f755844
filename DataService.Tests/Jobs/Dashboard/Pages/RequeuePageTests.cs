using System.Text.Json;
using DataService.Tests.Support;
using Microsoft.Playwright;

namespace DataService.Tests.Jobs.Dashboard.Pages;

public sealed class RequeuePageTests(Desk desk, Browser browser) : IClassFixture<Desk>
{
    private const string Address = "/hangfire/requeue";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_count_comes_first_and_nothing_is_run_without_a_reason()
    {
        await desk.Service.AddFailedAsync(300, "GITHUB_UNAUTHORIZED", "counted");

        var text = Desk.TextOf(await Desk.ReadAsync(desk.Operator, $"{Address}?q=counted"));
        using var refused = await Desk.SubmitAsync(desk.Operator, $"{Address}?q=counted", Address, ("reason", "  "));
        using var tooLong = await Desk.SubmitAsync(desk.Operator, $"{Address}?q=counted", Address, ("reason", new string('x', 501)));

        Assert.Contains("300 to re-run: failed, before 20", text, StringComparison.Ordinal);
        Assert.Contains("with 'counted'", text, StringComparison.Ordinal);
        Assert.Contains("At GitHub's budget of 400/h all of them take at least 45 minutes.", text, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (refused.StatusCode, tooLong.StatusCode));
        Assert.Contains("Give the reason", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Equal(300, await CountAsync("counted", "failed"));
    }

    [Fact]
    public async Task Without_a_script_each_press_runs_one_batch_and_says_what_remains()
    {
        await desk.Service.AddFailedAsync(300, "GITHUB_UNAUTHORIZED", "pressed");
        await desk.Service.QueryAsync<object>("UPDATE projects SET github_repo = 'acme/there' WHERE slug IN ('pressed-1', 'pressed-2')");

        using var first = await Desk.SubmitAsync(desk.Operator, $"{Address}?q=pressed", Address, ("reason", "The <token> was renewed."));
        var page = await first.Content.ReadAsStringAsync(Cancelled);
        using var second = await Desk.PostAsync(desk.Operator, Address, Desk.Hidden(page));

        Assert.Contains("250 re-run by this batch, 48 remain.", Desk.TextOf(page), StringComparison.Ordinal);
        Assert.Contains("has a repository 2", Desk.TextOf(page), StringComparison.Ordinal);
        Assert.Contains("48 re-run by this batch, 0 remain.", Desk.TextOf(await second.Content.ReadAsStringAsync(Cancelled)), StringComparison.Ordinal);
        Assert.Equal(298, await CountAsync("pressed", "queued"));
        var audited = await desk.Service.QueryAsync<string>(
            "SELECT string_agg(DISTINCT concat_ws(' ', origin, actor, reason), '; ') || ' ' || sum(count) FROM audit_entries WHERE detail LIKE '%pressed%'");
        Assert.Equal("dashboard api token The <token> was renewed. 298", audited);
    }

    [Fact]
    public async Task Two_operators_who_press_at_once_enqueue_each_job_once()
    {
        await desk.Service.AddFailedAsync(2_000, "GITHUB_UNAUTHORIZED", "contested");
        using var other = await DashboardTests.SignInAsync(desk.Service);

        var runs = await Task.WhenAll(RunAsync(desk.Operator), RunAsync(other));

        Assert.Equal(2_000, runs.Sum());
        Assert.Equal(2_000, await CountAsync("contested", "queued"));
        Assert.Equal("2000 2000 1", await desk.Service.QueryAsync<string>(
            """
            SELECT concat_ws(' ', count(*), count(DISTINCT q.jobid), max(enqueued)) FROM hangfire.jobqueue q
            JOIN (SELECT jobid, count(*) AS enqueued FROM hangfire.state WHERE name = 'Enqueued' GROUP BY jobid) s ON s.jobid = q.jobid
            JOIN repo_creations c ON c.job_id = q.jobid::text JOIN projects p ON p.id = c.project_id WHERE p.slug LIKE 'contested-%'
            """));

        static async Task<int> RunAsync(HttpClient visitor)
        {
            (string, string)[] fields = [.. Desk.Hidden(await Desk.ReadAsync(visitor, $"{Address}?q=contested")), ("reason", "Both of us")];
            for (var (sum, remaining) = (0, 1); ;)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, Address)
                {
                    Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Item1, field.Item2))),
                    Headers = { { "Accept", "application/json" } },
                };
                using var response = await visitor.SendAsync(request, Cancelled);
                var answer = await response.ReadAsync(HttpStatusCode.OK);
                (sum, remaining) = (sum + answer.GetProperty("requeued").GetInt32(), answer.GetProperty("remaining").GetInt32());
                if (remaining is 0)
                    return sum;
            }
        }
    }

    [Fact]
    public async Task What_fails_after_the_count_is_none_of_the_run()
    {
        await desk.Service.AddFailedAsync(2, "GITHUB_UNAUTHORIZED", "afterwards");
        var fields = Desk.Hidden(await Desk.ReadAsync(desk.Operator, $"{Address}?q=afterwards&since=7d")).ToList();
        await desk.Service.QueryAsync<object>(
            "UPDATE repo_creations SET updated_at = now() WHERE project_id = (SELECT id FROM projects WHERE slug = 'afterwards-2')");

        using var response = await Desk.PostAsync(desk.Operator, Address, [.. fields, ("reason", "Once")]);

        Assert.Contains("1 re-run by this batch, 0 remain.", Desk.TextOf(await response.Content.ReadAsStringAsync(Cancelled)), StringComparison.Ordinal);
        Assert.DoesNotContain(fields, field => field is ("since", "7d"));
    }

    [Fact]
    public async Task The_script_is_told_in_words_why_a_batch_is_refused()
    {
        var token = await Desk.TokenAsync(desk.Operator);
        foreach (var (fields, expected) in (((string, string)[], string)[])
        [
            ([token], "Give the reason"), ([token, ("reason", "x"), ("state", "lost")], "'lost' is no state"), ([("reason", "x")], "did not come from the dashboard"),
        ])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Address)
            {
                Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Item1, field.Item2))),
                Headers = { { "Accept", "application/json" } },
            };
            var problem = await (await desk.Operator.SendAsync(request, Cancelled)).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
            Assert.Contains(expected, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Five_hundred_are_re_run_by_filter_with_progress_to_the_end()
    {
        await desk.Service.AddFailedAsync(500, "GITHUB_UNAUTHORIZED", "renewed");
        await desk.Service.AddFailedAsync(3, "GITHUB_UNAUTHORIZED", "untouched");
        await desk.Service.QueryAsync<object>("UPDATE projects SET github_repo = 'acme/there' WHERE slug = 'renewed-7'");
        var page = await desk.OpenAsync(browser, desk.Operator);
        var complaints = page.Complaints();
        await page.GotoAsync("/hangfire/repositories");

        await page.GetByLabel("Text in the slug").FillAsync("renewed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Filter", Exact = true }).ClickAsync();
        await page.ArrivesAsync("**/repositories?*q=renewed*");
        await page.GetByRole(AriaRole.Link, new() { Name = "Re-run all that match" }).ClickAsync();
        await Assertions.Expect(page.Locator("#count")).ToContainTextAsync("499 to re-run");
        await Assertions.Expect(page.GetByLabel("Reason")).ToBeFocusedAsync();
        await page.GetByLabel("Reason").FillAsync("The token was renewed.");
        await page.Keyboard.PressAsync("Enter");

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Done: 499 re-run, 1 skipped.");
        var bar = page.GetByRole(AriaRole.Progressbar, new() { Name = "Progress" });
        Assert.Equal(("499", "499"), (await bar.GetAttributeAsync("aria-valuenow"), await bar.GetAttributeAsync("aria-valuemax")));
        await Assertions.Expect(page.GetByRole(AriaRole.Row, new() { Name = "has a repository 1" })).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#run-back")).ToBeFocusedAsync();
        Assert.Equal((499, 3), (await CountAsync("renewed", "queued"), await CountAsync("untouched", "failed")));
        await page.Keyboard.PressAsync("Enter");
        await page.ArrivesAsync("**/repositories?*");
        await Assertions.Expect(page.Locator(".ds-state-queued").First).ToBeVisibleAsync();
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task A_run_that_breaks_off_says_how_far_it_came()
    {
        await desk.Service.AddFailedAsync(300, "GITHUB_UNAUTHORIZED", "broken");
        var page = await desk.OpenAsync(browser, desk.Operator);
        await page.GotoAsync($"{Address}?q=broken");
        var batches = 0;
        await page.RouteAsync($"**{Address}", async route =>
        {
            if (route.Request.Method is "POST" && ++batches > 1)
                await route.FulfillAsync(new() { Status = 503, ContentType = "application/problem+json", Body = JsonSerializer.Serialize(new { detail = "The database is away." }) });
            else
                await route.ContinueAsync();
        });

        await page.GetByLabel("Reason").FillAsync("Try");
        await page.GetByRole(AriaRole.Button, new() { Name = "Re-run 300" }).ClickAsync();

        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Ended after 250: The database is away.");
        Assert.Equal((250, 50), (await CountAsync("broken", "queued"), await CountAsync("broken", "failed")));
    }

    private async Task<int> CountAsync(string name, string state) => (int)await desk.Service.QueryAsync<long>(
        $"SELECT count(*) FROM repo_creations JOIN projects ON id = project_id WHERE slug LIKE '{name}-%' AND state = '{state}'");
}
