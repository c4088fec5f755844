using DataService.Tests.Support;
using Microsoft.Playwright;

namespace DataService.Tests.Jobs.Dashboard.Pages;

/// <summary>
/// Takes the pictures in docs/screenshots/ anew: <c>./scripts/test --filter-class '*Screenshots' --explicit only</c>. They change with each run,
/// because the times in them do, and so are taken only when somebody asks.
/// </summary>
public sealed class Screenshots(Desk desk, Browser browser) : IClassFixture<Desk>
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "screenshots");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task Each_page_in_light_and_dark_and_the_main_ones_on_a_phone()
    {
        await SeedAsync();
        var jobId = await desk.JobOfAsync("acme-7");
        await Eventually.ReturnsAsync(
            () => desk.Operator.GetStringAsync("/hangfire", Cancelled), html => html.Contains("449", StringComparison.Ordinal), "the figures to be those of the seed");
        var page = await desk.OpenAsync(browser, desk.Operator, height: 1000);
        foreach (var (scheme, suffix) in ((ColorScheme, string)[])[(ColorScheme.Light, "light"), (ColorScheme.Dark, "dark")])
        {
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            await page.SetViewportSizeAsync(1280, 1000);
            await TakeAsync(page, "/hangfire/repositories", $"repositories-{suffix}");
            await TakeAsync(page, "/hangfire/repositories/acme-7", $"project-{suffix}");
            await TakeAsync(page, $"/hangfire/jobs/details/{jobId}", $"job-{suffix}");
            await TakeAsync(page, "/hangfire/requeue?code=GITHUB_FORBIDDEN&q=acme", $"requeue-{suffix}");
            await page.GetByLabel("Reason").FillAsync("The token may create repositories again.");
            await page.GetByRole(AriaRole.Button, new() { Name = "Re-run" }).ClickAsync();
            await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("Done");
            await SaveAsync(page, $"requeue-done-{suffix}");
            await SeedForbiddenAgainAsync();
            await desk.Service.QueryAsync<object>("INSERT INTO creation_pause (id, since, reason) VALUES (1, now() - interval '2 h', 'The organisation moves to another plan.')");
            await Eventually.ReturnsAsync(() => desk.Operator.GetStringAsync("/hangfire", Cancelled), html => html.Contains("another plan", StringComparison.Ordinal), "the pause to show");
            await TakeAsync(page, "/hangfire", $"home-{suffix}");
            await desk.Service.QueryAsync<object>("DELETE FROM creation_pause");
            await page.SetViewportSizeAsync(390, 844);
            await TakeAsync(page, "/hangfire/repositories", $"repositories-phone-{suffix}");
            await TakeAsync(page, "/hangfire/repositories/acme-7", $"project-phone-{suffix}");
        }

        var visitor = await browser.OpenAsync(desk.Service);
        await visitor.SetViewportSizeAsync(800, 500);
        await TakeAsync(visitor, "/hangfire/login", "login-light");
        await visitor.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await TakeAsync(visitor, "/hangfire/login", "login-dark");
    }

    private static async Task TakeAsync(IPage page, string address, string name)
    {
        await page.GotoAsync(address);
        await SaveAsync(page, name);
    }

    private static async Task SaveAsync(IPage page, string name)
    {
        await page.EvaluateAsync("document.fonts.ready");
        var file = Path.Combine(Folder, $"{name}.png");
        await page.ScreenshotAsync(new() { Path = file, Animations = ScreenshotAnimations.Disabled, Caret = ScreenshotCaret.Hide });
        Assert.InRange(new FileInfo(file).Length, 1, 150_000);
    }

    /// <summary>A morning after the token lost a right, and some other troubles.</summary>
    private async Task SeedAsync()
    {
        await desk.Service.AddFailedAsync(412, "GITHUB_FORBIDDEN", "acme");
        await desk.Service.AddFailedAsync(37, "GITHUB_UNAVAILABLE", "globex");
        await desk.Service.AddFailedAsync(4, "GITHUB_REPO_NAME_TAKEN", "initech");
        await desk.Service.AddFailedAsync(60, "INTERNAL", "umbrella");
        await desk.Service.QueryAsync<object>(
            """
            UPDATE projects SET name = initcap(replace(slug, '-', ' ')), approved_at = now() - interval '26 h';
            UPDATE repo_creations c SET github_error = CASE error_code
                WHEN 'GITHUB_FORBIDDEN' THEN 'Resource not accessible by personal access token (needs administration=write)'
                WHEN 'GITHUB_UNAVAILABLE' THEN 'The request timed out.'
                WHEN 'GITHUB_REPO_NAME_TAKEN' THEN 'Both the slug and the suffixed name belong to someone else.'
                ELSE 'The service failed.' END,
                github_status = CASE error_code WHEN 'GITHUB_FORBIDDEN' THEN 403 WHEN 'GITHUB_REPO_NAME_TAKEN' THEN 422 END,
                attempts = CASE error_code WHEN 'GITHUB_UNAVAILABLE' THEN 11 ELSE 1 END;
            UPDATE repo_creations SET state = 'created', error_code = NULL, github_status = NULL, github_error = NULL, updated_at = now() - interval '40 s' * attempts
            WHERE project_id IN (SELECT id FROM projects WHERE slug LIKE 'umbrella-%');
            UPDATE projects SET github_repo = 'auditmos-projects/' || slug WHERE slug LIKE 'umbrella-%';
            UPDATE repo_creations SET state = 'retrying', next_attempt_at = now() + interval '9 min', updated_at = now() - interval '20 s'
            WHERE project_id IN (SELECT id FROM projects WHERE slug IN ('globex-1', 'globex-2'));
            UPDATE repo_creations SET state = 'queued', waits_for = 'budget', next_attempt_at = now() + interval '3 min', error_code = NULL, github_status = NULL,
                github_error = NULL, updated_at = now() - interval '10 s'
            WHERE project_id IN (SELECT id FROM projects WHERE slug IN ('globex-3', 'globex-4'));
            UPDATE repo_creations SET updated_at = now() - interval '5 s' WHERE project_id = (SELECT id FROM projects WHERE slug = 'acme-7');
            UPDATE projects SET name = 'Acme Shop, the second edition' WHERE slug = 'acme-7';
            INSERT INTO audit_entries (at, actor, origin, action, project_id, slug, count, reason, request_id)
            SELECT now() - t.ago, t.actor, 'rest', t.action, p.id, p.slug, 1, t.reason, t.request FROM projects p, (VALUES
                (interval '26 h', 'api token', 'approve', NULL, '0199c2f0a1b27c3d8e4f5a6b7c8d9e0f'),
                (interval '3 h', 'jo@example.com', 'requeue', 'GitHub was down.', '0199c2f0b7d37c3d8e4f5a6b7c8d9e11')) AS t (ago, actor, action, reason, request)
            WHERE p.slug = 'acme-7';
            INSERT INTO creation_events (project_id, at, kind, text, attempt, job_id, code, github_status, next_at)
            SELECT c.project_id, now() - t.ago, t.kind, t.text, t.attempt, c.job_id, t.code, t.status, t.next FROM repo_creations c JOIN projects p ON p.id = c.project_id, (VALUES
                (interval '25 h 59 min 59 s', 'enqueued', 'Waits for a worker.', NULL, NULL, NULL, NULL::timestamptz),
                (interval '25 h 59 min 58 s', 'attempt_started', 'Begins with the name acme-7.', 1, NULL, NULL, NULL),
                (interval '25 h 59 min 30 s', 'failed', 'The request timed out.', 1, 'GITHUB_UNAVAILABLE', NULL, NULL),
                (interval '2 h 59 min 59 s', 'enqueued', 'Waits for a worker.', NULL, NULL, NULL, NULL),
                (interval '2 h 59 min 58 s', 'attempt_started', 'Begins with the name acme-7.', 2, NULL, NULL, NULL),
                (interval '2 h 59 min 57 s', 'failed', 'Resource not accessible by personal access token (needs administration=write)', 2, 'GITHUB_FORBIDDEN', 403, NULL))
                AS t (ago, kind, text, attempt, code, status, next)
            WHERE p.slug = 'acme-7' ORDER BY t.ago DESC;
            """);
    }

    /// <summary>What the first run has re-run.</summary>
    private Task<object?> SeedForbiddenAgainAsync() => desk.Service.QueryAsync<object>(
        """
        UPDATE repo_creations SET state = 'failed', error_code = 'GITHUB_FORBIDDEN', github_status = 403, updated_at = now() - interval '3 h',
            github_error = 'Resource not accessible by personal access token (needs administration=write)'
        WHERE project_id IN (SELECT id FROM projects WHERE slug LIKE 'acme-%');
        UPDATE hangfire.job j SET statename = 'Failed', stateid = s.id FROM hangfire.state s WHERE s.jobid = j.id AND s.name = 'Failed';
        DELETE FROM hangfire.state WHERE name = 'Enqueued';
        DELETE FROM hangfire.jobqueue;
        """);
}
