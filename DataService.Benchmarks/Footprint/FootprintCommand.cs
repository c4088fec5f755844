using System.CommandLine;
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
        var idle = BenchmarkCommand.Seconds("--idle", "seconds from the start until the memory is looked at", 5, 600);
        var published = new Option<string?>("--published")
        {
            Description = "the folder of a published service, instead of publishing it now",
        };
        return BenchmarkCommand.Create(
            "footprint", "Time from start to ready, resident memory idle and after approvals, size of the published folder.",
            [approvals, starts, idle, published],
            (arguments, bed, report, cancellationToken) => RunAsync(
                bed, report, arguments.GetValue(approvals), arguments.GetValue(starts), TimeSpan.FromSeconds(arguments.GetValue(idle)),
                arguments.GetValue(published), cancellationToken));
    }

    private static async Task RunAsync(
        Bed bed, Report report, int approvals, int starts, TimeSpan idleTime, string? published, CancellationToken cancellationToken)
    {
        var folder = published ?? await PublishedService.MakeAsync(Root(), bed.Folder, cancellationToken);
        var assembly = Path.Combine(folder, "DataService.dll");
        if (!File.Exists(assembly))
            throw new CannotRunException($"there is no {assembly}");
        var size = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length) / 1e6;

        await bed.Database.MigrateAsync(cancellationToken);
        var times = new List<double>();
        for (var start = 1; start <= starts; start++)
        {
            var one = new ServiceStart { Name = $"start-{start}", Assembly = assembly };
            await using var service = await bed.StartAsync(one, cancellationToken);
            times.Add(service.TimeToReady.TotalSeconds);
        }

        report.Note(
            $"start to ready on a migrated database, of {starts}: median {Report.Median(times):0.00} s, longest {times.Max():0.00} s");
        var (idle, memory) = await FillAsync(bed, assembly, approvals, idleTime, report, cancellationToken);
        report.Below("start to ready, median, in s", Report.Median(times), 3);
        report.Below("resident memory idle, in MB", idle, 200, "0");
        report.Below($"resident memory, the most at {approvals} approvals, in MB", memory.Max(), 200, "0");
        // The first step fills pools and compiles; what comes later must not add to it.
        report.AtMost("resident memory, last step of the third", memory[^1] / memory[2], 1.1);
        report.Below("published folder, in MB", size, 60, "0.0");
    }

    private static async Task<(double Idle, double[] Memory)> FillAsync(
        Bed bed, string assembly, int approvals, TimeSpan idleTime, Report report, CancellationToken cancellationToken)
    {
        await using var service = await bed.StartAsync(new ServiceStart { Name = "service", Assembly = assembly }, cancellationToken);
        await bed.Database.SeedProjectsAsync("kept", approvals, cancellationToken);
        await bed.Database.ExecuteAsync("ANALYZE", cancellationToken);
        await Task.Delay(idleTime, cancellationToken);
        var idle = service.Megabytes;
        report.Note($"resident memory, idle: {idle:0} MB");

        var (supply, load) = (new ProjectSupply("kept", approvals), new HttpLoad(service.Address, service.Token));
        var memory = new double[Steps];
        for (var step = 0; step < Steps; step++)
        {
            load.Run(Connections, TimeSpan.FromMinutes(2), supply.Take(approvals / Steps));
            await bed.Database.ComeToRestAsync(cancellationToken);
            memory[step] = service.Megabytes;
            report.Note($"after {approvals / Steps * (step + 1)} approvals, their repositories created: {memory[step]:0} MB");
        }

        return (idle, memory);
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
