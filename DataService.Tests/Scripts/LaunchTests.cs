using System.Diagnostics;
using DataService.Tests.Support;
using Operator;

namespace DataService.Tests.Scripts;

/// <summary>The scripts as files: each is a program by itself, and all are the solution's project Operator.</summary>
public sealed class LaunchTests
{
    private static string Folder { get; } = Path.Combine(Repository.Root, "scripts");

    [Fact]
    public void Every_script_has_a_launcher_and_the_same_first_lines_and_stands_in_the_readme()
    {
        var scripts = Directory.GetFiles(Folder, "*.cs");
        Assert.True(scripts.Length >= 6, "The scripts are missing.");
        var readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

        Assert.All(scripts, script =>
        {
            Assert.StartsWith("#!/usr/bin/env dotnet\n#:include Operator/Script.cs\n", File.ReadAllText(script), StringComparison.Ordinal);
            var launcher = Path.Combine(Folder, Path.GetFileNameWithoutExtension(script));
            Assert.Equal(File.ReadAllText(Path.Combine(Folder, "doctor")), File.ReadAllText(launcher));
            Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(launcher).HasFlag(UnixFileMode.UserExecute | UnixFileMode.OtherExecute), $"{launcher} cannot be executed.");
            Assert.Contains($"scripts/{Path.GetFileName(launcher)}", readme, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_script_includes_all_that_the_project_compiles()
    {
        var parts = Directory.GetFiles(Path.Combine(Folder, "Operator"), "*.cs").Select(Path.GetFileName).Except(["Program.cs", "Script.cs"]).Order(StringComparer.Ordinal);

        Assert.Equal(
            parts.Select(part => $"#:include {part}"),
            File.ReadLines(Path.Combine(Folder, "Operator", "Script.cs")).Where(line => line.StartsWith("#:include", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_launcher_builds_and_runs_its_script_from_any_folder_also_one_with_spaces_and_through_a_link()
    {
        var root = Directory.CreateTempSubdirectory("data service scripts ").FullName;
        try
        {
            foreach (var file in (string[])["Directory.Build.props", "Directory.Packages.props", ".editorconfig", "global.json", "scripts/Directory.Build.props", "scripts/lib/setup.sh", "scripts/lib/launch.sh", "scripts/list-failed", "scripts/list-failed.cs"])
                Copy(root, file);
            foreach (var file in Directory.GetFiles(Path.Combine(Folder, "Operator"), "*.cs"))
                Copy(root, Path.GetRelativePath(Repository.Root, file));

            var link = File.CreateSymbolicLink(Path.Combine(root, "failed ones"), Path.Combine("scripts", "list-failed"));
            var start = new ProcessStartInfo(link.FullName, ["--url", "http://127.0.0.1:1"])
            {
                WorkingDirectory = "/",
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["API_TOKEN"] = "a-token-of-somebody" },
            };
            using var process = Process.Start(start)!;
            var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Equal("", await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.Contains("The service at http://127.0.0.1:1 does not answer", await error, StringComparison.Ordinal);
            Assert.Equal(ExitCode.NotReachable, process.ExitCode);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Theory]
    [InlineData("--help", 0)]
    [InlineData("--port=8080", 2)]
    public async Task What_runs_the_service_starts_none_for_a_question_or_an_option_that_it_does_not_have(string argument, int exitCode)
    {
        var start = new ProcessStartInfo(Path.Combine(Folder, "run"), [argument]) { RedirectStandardOutput = true, RedirectStandardError = true };

        using var process = Process.Start(start)!;
        var told = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.StartsWith("./scripts/run brings the service up", told, StringComparison.Ordinal);
        Assert.Equal(exitCode, process.ExitCode);
    }

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@sum", "'@sum")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("\r=1", "\"'\r=1\"")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("say \"x\"", "\"say \"\"x\"\"\"")]
    [InlineData("two\nlines", "\"two\nlines\"")]
    [InlineData("plain", "plain")]
    [InlineData(null, "")]
    public void A_field_of_CSV_is_quoted_where_needed_and_never_a_formula(string? value, string field) => Assert.Equal($"{field},x\r\n", Csv.Line(value, "x"));

    private static void Copy(string root, string file)
    {
        var target = Path.Combine(root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(Path.Combine(Repository.Root, file), target);
    }
}
