using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Scripts;

public sealed class RequeueFailedTests(PostgresCluster cluster)
{
    private const string ViewerToken = "canary-viewer-token-61aa0f";

    [Fact]
    public async Task It_shows_the_groups_and_requeues_what_matches_after_a_yes()
    {
        await using var service = await StartAsync();
        await service.AddFailedAsync(120);
        await service.AddFailedAsync(30, "GITHUB_UNAUTHORIZED", "refused");

        var look = await Script.RunAsync(service, "requeue-failed", "--dry-run");
        Assert.Equal((0, ""), (look.ExitCode, look.Error));
        Assert.Matches("GITHUB_FORBIDDEN +120\\n.*GITHUB_UNAUTHORIZED +30\\n.*150 match, 150 can be run\\.", look.Output.ReplaceLineEndings("\n"));
        var unasked = await Script.RunAsync(service, "requeue-failed");
        Assert.Equal(5, unasked.ExitCode);
        Assert.Contains("--yes", unasked.Error, StringComparison.Ordinal);
        Assert.Equal(150, await FailedAsync(service));

        var run = await Script.RunAsync(service, "requeue-failed", "--code", "GITHUB_FORBIDDEN", "--since", "2d", "--limit", "100", "--reason", "The owner was asked.", "--yes");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("Requeued 100, 20 remain.", run.Output, StringComparison.Ordinal);
        Assert.Equal(50, await FailedAsync(service));
        Assert.Equal("script|100|The owner was asked.", await service.QueryAsync<string>("SELECT origin || '|' || count || '|' || reason FROM audit_entries WHERE action LIKE 'requeue%'"));

        var two = await Script.RunAsync(service, "requeue-failed", "--slug", "failed-120", "--slug", "refused-1", "--q", "refused", "--yes", "--json");
        var result = JsonDocument.Parse(two.Output).RootElement;
        Assert.Equal((1, 1, 0, false), (result.GetProperty("matched").GetInt32(), result.GetProperty("requeued").GetInt32(), result.GetProperty("remaining").GetInt32(), result.GetProperty("dryRun").GetBoolean()));
        Assert.Equal(1, result.GetProperty("groups").GetProperty("GITHUB_UNAUTHORIZED").GetInt32());

        var late = await Script.RunAsync(service, "requeue-failed", "--since", "1m", "--yes");
        Assert.Equal((0, "Nothing matches."), (late.ExitCode, late.Output.Trim()));
        var wrong = await Script.RunAsync(service, "requeue-failed", "--code", "GITHUB_SAD", "--yes");
        Assert.Equal(2, wrong.ExitCode);
        Assert.StartsWith("codes: 'GITHUB_SAD' is no code", wrong.Error, StringComparison.Ordinal);
        var when = await Script.RunAsync(service, "requeue-failed", "--since", "yesterday", "--yes");
        Assert.Equal(2, when.ExitCode);
        Assert.Matches(@"\Asince must be [^:]+T[0-9:]+Z, [^:]+ \(400 VALIDATION_ERROR\)\s*\z", when.Error);
    }

    [Theory]
    [InlineData("requeue-failed", "--code", "")]
    [InlineData("requeue-failed", "--code", "GITHUB_FORBIDDEN,")]
    [InlineData("requeue-failed", "--since", "")]
    [InlineData("requeue-failed", "--until", "")]
    [InlineData("requeue-failed", "--slug", "")]
    [InlineData("requeue-failed", "--q", " ")]
    [InlineData("requeue-failed", "--reason", "")]
    [InlineData("list-failed", "--state", "")]
    [InlineData("list-failed", "--code", "")]
    [InlineData("list-failed", "--since", "")]
    [InlineData("list-failed", "--q", "")]
    [InlineData("enqueue-missing", "--reason", "")]
    public async Task An_option_that_says_nothing_is_refused_before_anything_is_asked(string script, string option, string value)
    {
        var empty = await Script.RunWithAsync([], script, option, value);

        Assert.Equal((2, ""), (empty.ExitCode, empty.Output));
        Assert.StartsWith($"{option} is empty", empty.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_interrupted_run_says_what_was_done_and_the_next_one_goes_on()
    {
        await using var service = await StartAsync();
        await service.AddFailedAsync(40);

        var slow = Script.Start(service.Address, "requeue-failed", "--rate", "60/min", "--yes");
        await Eventually.ReturnsAsync(() => Task.FromResult(slow.Output), output => output.Contains("Requeued 5 of 40", StringComparison.Ordinal), "the first batch");
        // SIGINT would be ignored where the tests run in a shell's background.
        await slow.SignalAsync("TERM");
        var cut = await Script.EndAsync(slow);

        Assert.Equal(143, cut.ExitCode);
        Assert.Contains("Requeued 5, 35 remain.", cut.Output, StringComparison.Ordinal);
        Assert.Contains("Run the same again to go on; with --until", cut.Output, StringComparison.Ordinal);
        Assert.Equal(35, await FailedAsync(service));

        var rest = await Script.RunAsync(service, "requeue-failed", "--yes");
        Assert.Equal(0, rest.ExitCode);
        Assert.Contains("Requeued 35.", rest.Output, StringComparison.Ordinal);
        Assert.Equal((0, 40L), (await FailedAsync(service), await service.QueryAsync<long>("SELECT count(DISTINCT jobid) FROM hangfire.jobqueue")));
        Assert.Equal(40L, await service.QueryAsync<long>("SELECT count(*) FROM hangfire.jobqueue"));
    }

    [Theory]
    [InlineData("\n", 5, "Nothing was done.", 3)]
    [InlineData("no\n", 5, "Nothing was done.", 3)]
    [InlineData("y\n", 0, "Requeued 3.", 0)]
    public async Task At_a_terminal_it_asks_and_takes_nothing_but_yes_for_a_yes(string answer, int exitCode, string conclusion, int failed)
    {
        await using var service = await StartAsync();
        await service.AddFailedAsync(3);
        await using var terminal = Terminal.Start(service.Address, "requeue-failed");

        await terminal.ShowsAsync("Requeue 3 of them? [y/N]");
        Assert.Equal(3, await FailedAsync(service));
        await terminal.TypeAsync(answer);

        Assert.Equal(exitCode, await terminal.ExitCodeAsync());
        Assert.Contains(conclusion, terminal.Screen, StringComparison.Ordinal);
        Assert.Equal(failed, await FailedAsync(service));
    }

    [Fact]
    public async Task At_a_terminal_it_shows_a_bar_and_ctrl_c_ends_it_with_what_was_done()
    {
        await using var service = await StartAsync();
        await service.AddFailedAsync(40);
        await using var terminal = Terminal.Start(service.Address, "requeue-failed", "--rate", "60/min", "--yes");

        await terminal.ShowsAsync("Requeued 5 of 40");
        await terminal.ShowsAsync("%");
        await terminal.TypeAsync(Terminal.CtrlC);

        Assert.Equal(130, await terminal.ExitCodeAsync());
        Assert.Contains("Requeued 5, 35 remain.", terminal.Screen, StringComparison.Ordinal);
        Assert.Equal(35, await FailedAsync(service));
    }

    [Fact]
    public async Task The_token_comes_from_the_environment_or_a_file_and_must_be_an_operators()
    {
        await using var service = await StartAsync();
        await service.AddFailedAsync(1);
        var url = service.Address.ToString();

        var argument = await Script.RunWithAsync(new() { ["DATASERVICE_URL"] = url }, "requeue-failed", $"--token={RunningService.ApiToken}");
        Assert.Equal(2, argument.ExitCode);
        Assert.Contains("--token-file", argument.Error, StringComparison.Ordinal);
        var none = await Script.RunWithAsync(new() { ["VIEWER_TOKEN"] = ViewerToken }, "requeue-failed", "--url", url, "--yes");
        Assert.Equal(4, none.ExitCode);
        Assert.Contains("set API_TOKEN, or", none.Error, StringComparison.Ordinal);
        var viewer = await Script.RunWithAsync(new() { ["API_TOKEN"] = ViewerToken }, "requeue-failed", "--url", url, "--yes");
        Assert.Equal(4, viewer.ExitCode);
        Assert.Contains("The token is a viewer's (403)", viewer.Error, StringComparison.Ordinal);
        var stranger = await Script.RunWithAsync(new() { ["API_TOKEN"] = "a-token-of-somebody-else" }, "requeue-failed", "--url", url, "--yes");
        Assert.Equal(4, stranger.ExitCode);
        Assert.Contains("does not know the token (401)", stranger.Error, StringComparison.Ordinal);
        Assert.Equal(1, await FailedAsync(service));

        var looks = await Script.RunWithAsync(new() { ["VIEWER_TOKEN"] = ViewerToken }, "list-failed", "--url", url);
        Assert.Equal(0, looks.ExitCode);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, $"{RunningService.ApiToken}, an-older-token-0001\n", TestContext.Current.CancellationToken);
            var fromFile = await Script.RunWithAsync([], "requeue-failed", "--url", url, "--token-file", file, "--yes");
            Assert.Equal((0, 0), (fromFile.ExitCode, await FailedAsync(service)));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private Task<RunningService> StartAsync() => RunningService.StartAsync(cluster, new() { ["VIEWER_TOKEN"] = ViewerToken }, StoredCreations.WithoutWorkers);

    private static async Task<int> FailedAsync(RunningService service) => (int)await service.QueryAsync<long>("SELECT count(*) FROM repo_creations WHERE state = 'failed'");
}
