using System.Diagnostics;
using System.Text;
using DataService.Tests.Support;
using Operator;

namespace DataService.Tests.Scripts;

/// <summary>An operators' script at a terminal, with a person in front of it. The terminal is made by util-linux's <c>script</c>.</summary>
internal sealed class Terminal : IAsyncDisposable
{
    public const string CtrlC = "\x03";

    private readonly Process _process;
    private readonly Task _reading;
    private readonly StringBuilder _screen = new();

    private Terminal(Process process) => (_process, _reading) = (process, Task.Run(ReadAsync));

    /// <summary>All that was shown, with what moves the cursor.</summary>
    public string Screen { get { lock (_screen) return _screen.ToString(); } }

    /// <summary>Starts a script with the operator's token.</summary>
    public static Terminal Start(Uri service, string script, params string[] arguments)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "there is no util-linux");
        var command = string.Join(' ', ["dotnet", $"'{typeof(Rate).Assembly.Location}'", script, .. arguments]);
        // Where the tests run in a shell's background SIGINT is ignored, and what they start would ignore it too.
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT", "/usr/bin/script", "--quiet", "--return", "--command", command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        (start.Environment["API_TOKEN"], start.Environment["DATASERVICE_URL"]) = (RunningService.ApiToken, service.ToString());
        (start.Environment["SHELL"], start.Environment["TERM"]) = ("/bin/sh", "xterm");
        return new Terminal(Process.Start(start)!);
    }

    public Task<string> ShowsAsync(string text) =>
        Eventually.ReturnsAsync(() => Task.FromResult(Screen), screen => screen.Contains(text, StringComparison.Ordinal), $"'{text}' on the screen");

    public async Task TypeAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        await _reading;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        var letters = new char[1024];
        while (await _process.StandardOutput.ReadAsync(letters) is > 0 and var count)
        {
            lock (_screen)
                _screen.Append(letters, 0, count);
        }
    }
}
