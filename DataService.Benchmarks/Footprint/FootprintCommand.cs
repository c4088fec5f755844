using System.CommandLine;
using System.Diagnostics;
using DataService.Benchmarks.Approvals;
using DataService.Benchmarks.Bench;

namespace DataService.Benchmarks.Footprint;

/// <summary>How long the published service takes to serve, how much memory it holds, and how much of a disk.</summary>
internal static class FootprintCommand
{
    private const int Connections = 16;
    private const int Steps = 5;

    public static Command Create()
    {
        var approvals = BenchmarkCommand.Number("--approvals", "how many, in five steps", 10_000, 1_000_000);
        var starts = BenchmarkCommand.Number("--starts", "how often the service is started", 5, 50);
        var published = new Option<string?>("--published") { Description = "the folder of a published service, instead of publishing it now" };
        return BenchmarkCommand.Create(
            "footprint", "Time from start to ready, resident memory idle and after approvals, size of the published folder.", [approvals, starts, published],
            (arguments, bed, report, cancellationToken) =>
                RunAsync(bed, report, arguments.GetValue(approvals), arguments.GetValue(starts), arguments.GetValue(published), cancellationToken));
    }

    private static async Task RunAsync(BedOptions options, Report report, int approvals, int starts, string? published, CancellationToken cancellationToken)
    {
        await using var bed = await Bed.MakeAsync(options, cancellationToken);
        var folder = published ?? await PublishAsync(bed, cancellationToken);
        var assembly = Path.Combine(folder, "DataService.dll");
        if (!File.Exists(assembly))
            throw new CannotRunException($"there is no {assembly}");
        var size = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length) / 1e6;

        // Not measured: it migrates.
        await using (await bed.StartAsync("migrating", cancellationToken, assembly: assembly))
        {
        }

        var times = new List<double>();
        for (var start = 1; start <= starts; start++)
        {
            await using var service = await bed.StartAsync($"start-{start}", cancellationToken, assembly: assembly);
            times.Add(service.TimeToReady.TotalSeconds);
        }

        report.Note($"start to ready on a migrated database, of {starts}: median {Report.Median(times):0.00} s, longest {times.Max():0.00} s");
        var (idle, memory) = await FillAsync(bed, assembly, approvals, report, cancellationToken);
        report.AtMost("start to ready, median, in s", Report.Median(times), 3);
        report.AtMost("resident memory idle, in MB", idle, 200, "0");
        report.AtMost($"resident memory, the most at {approvals} approvals, in MB", memory.Max(), 200, "0");
        // The first step fills pools and compiles; what comes later must not add to it.
        report.AtMost("resident memory, last step of the third", memory[^1] / memory[2], 1.1);
        report.AtMost("published folder, in MB", size, 60, "0.0");
    }

    private static async Task<(double Idle, double[] Memory)> FillAsync(Bed bed, string assembly, int approvals, Report report, CancellationToken cancellationToken)
    {
        await using var service = await bed.StartAsync("service", cancellationToken, assembly: assembly);
        await bed.SeedProjectsAsync("kept", approvals, cancellationToken);
        await bed.ExecuteAsync("ANALYZE", cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(5), cancellationToken);
        var idle = service.Megabytes;
        report.Note($"resident memory, idle: {idle:0} MB");

        var (supply, load) = (new ProjectSupply("kept", approvals), new HttpLoad(service.Address, bed.ApiToken));
        var memory = new double[Steps];
        for (var step = 0; step < Steps; step++)
        {
            load.Run(Connections, TimeSpan.FromMinutes(2), supply.Take(approvals / Steps));
            await bed.ComeToRestAsync(cancellationToken);
            memory[step] = service.Megabytes;
            report.Note($"after {approvals / Steps * (step + 1)} approvals, their repositories created: {memory[step]:0} MB");
        }

        return (idle, memory);
    }

    /// <summary>As the Dockerfile does it.</summary>
    private static async Task<string> PublishAsync(Bed bed, CancellationToken cancellationToken)
    {
        var output = Path.Combine(bed.Folder, "published");
        var start = new ProcessStartInfo(
            "dotnet", ["publish", "DataService", "--configuration", "Release", "--output", output, "--artifacts-path", Path.Combine(bed.Folder, "build"), "--disable-build-servers"])
        {
            WorkingDirectory = Root(),
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            var text = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode is 0 ? output : throw new CannotRunException($"the service cannot be published: {text}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "DataService.sln")))
                return folder.FullName;
        }

        throw new CannotRunException("the repository is not there to publish the service from; give --published");
    }
}
