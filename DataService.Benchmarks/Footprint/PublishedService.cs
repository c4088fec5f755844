using System.Diagnostics;
using System.Text.RegularExpressions;
using DataService.Benchmarks.Bench;

namespace DataService.Benchmarks.Footprint;

/// <summary>What the Dockerfile puts into the image, made by its own steps where no container can be built.</summary>
internal static partial class PublishedService
{
    /// <summary>Restores and publishes the service.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="folder">Takes what the build makes beside it, too.</param>
    /// <param name="cancellationToken">Ends the build.</param>
    /// <returns>The published folder.</returns>
    /// <exception cref="CannotRunException">There are no such steps, or one fails.</exception>
    public static async Task<string> MakeAsync(string root, string folder, CancellationToken cancellationToken)
    {
        var output = Path.Combine(folder, "published");
        var steps = Steps().Matches(await File.ReadAllTextAsync(Path.Combine(root, "Dockerfile"), cancellationToken));
        if (steps is not [_, _])
            throw new CannotRunException("the Dockerfile does not restore and then publish");
        foreach (Match step in steps)
        {
            var arguments = step.Groups["arguments"].Value.Replace("/app", output, StringComparison.Ordinal);
            await RunAsync(root, [.. arguments.Split(' '), "--artifacts-path", Path.Combine(folder, "build"), "--disable-build-servers"], cancellationToken);
        }

        return output;
    }

    private static async Task RunAsync(string root, string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = root, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        try
        {
            var text = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode is not 0)
                throw new CannotRunException($"the service cannot be published: {text}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    [GeneratedRegex(@"^RUN dotnet (?<arguments>(?:restore|publish) .*)$", RegexOptions.Multiline)]
    private static partial Regex Steps();
}
