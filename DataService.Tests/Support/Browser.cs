using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using DataService.Tests.Support;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Browser))]

namespace DataService.Tests.Support;

/// <summary>One headless Chromium for the test run, started by the first test that opens a page.</summary>
public sealed class Browser : IAsyncLifetime
{
    /// <summary>Set by scripts/test, which installs a browser where there is none.</summary>
    private const string PathVariable = "CHROMIUM_PATH";

    private readonly Lazy<Task<(IPlaywright Driver, IBrowser Browser)>> _started = new(StartAsync);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (!_started.IsValueCreated)
            return;
        var (driver, browser) = await _started.Value;
        await browser.DisposeAsync();
        driver.Dispose();
    }

    private const float BusyMachineMilliseconds = 90_000;

    /// <summary>A page of a fresh profile: no cookies, no history.</summary>
    internal async Task<IPage> OpenAsync(RunningService service)
    {
        var context = await (await _started.Value).Browser.NewContextAsync(new BrowserNewContextOptions { BaseURL = service.Address.ToString() });
        context.SetDefaultTimeout(BusyMachineMilliseconds);
        return await context.NewPageAsync();
    }

    private static async Task<(IPlaywright, IBrowser)> StartAsync()
    {
        var path = Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } given ? given : "/usr/bin/chromium";
        var driver = await Playwright.CreateAsync();
        Assertions.SetDefaultExpectTimeout(BusyMachineMilliseconds);
        return (driver, await driver.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = path,
            // The sandbox cannot be set up as root, which is what CI is; the pages are our own.
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        }));
    }
}

internal static class Pages
{
    /// <summary>What the page's console says of errors from now on: scripts that throw, answers that fail, and all that the page's policy refuses.</summary>
    public static IReadOnlyCollection<string> Complaints(this IPage page)
    {
        var complaints = new ConcurrentQueue<string>();
        page.PageError += (_, error) => complaints.Enqueue($"{page.Url}: {error}");
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning" || message.Text.Contains("Content Security Policy", StringComparison.Ordinal))
                complaints.Enqueue($"{page.Url}: {message.Text}");
        };
        return complaints;
    }

    /// <summary>Waits until the page has this address. Not until it is loaded, which Playwright misses where that comes at once: expectations wait by themselves.</summary>
    /// <param name="page">Of the browser.</param>
    /// <param name="url">With * for a part of a path, and ** for any.</param>
    public static Task ArrivesAsync(this IPage page, string url) =>
        Assertions.Expect(page).ToHaveURLAsync(new Regex($"^{Regex.Escape(url).Replace(@"\*\*", ".*").Replace(@"\*", "[^/]*")}$"));
}
