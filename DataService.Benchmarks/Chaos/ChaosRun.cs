using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using DataService.Data;
using GitHubSimulator;
using GitHubSimulator.Requests;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace DataService.Benchmarks.Chaos;

/// <summary>
/// Two instances on one database and a GitHub with faults, all of its own: disturbs them for a time, lets them finish, and counts from
/// outside whether every acknowledged approval has exactly one repository.
/// </summary>
/// <param name="options">How long and how hard.</param>
/// <param name="progress">Told now and then how far it is.</param>
internal sealed class ChaosRun(ChaosOptions options, TextWriter progress)
{
    private const string Organization = "chaos";
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    /// <summary>Without a job or a new link for this long, the service has come to an end, if not to a good one.</summary>
    private static readonly TimeSpan Stillness = TimeSpan.FromSeconds(30);

    /// <summary>In thirds of the run.</summary>
    private static readonly int[] DatabaseRestarts = [1, 2];

    private readonly string _apiToken = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly string _gitHubToken = RandomNumberGenerator.GetHexString(32, lowercase: true);
    private readonly ConcurrentQueue<TimeWindow> _databaseDown = [];

    /// <exception cref="EmbeddedPostgresException">PostgreSQL cannot be used, or did not come up again.</exception>
    /// <exception cref="TimeoutException">The instances did not start.</exception>
    public async Task<ChaosReport> RunAsync(CancellationToken cancellationToken)
    {
        var folder = Path.Combine(options.TemporaryFolder, $"dataservice-chaos-{Guid.NewGuid():N}");
        await using var postgres = await EmbeddedPostgres.StartAsync(folder, new() { ThrowAway = true }, cancellationToken);
        await using var simulator = SimulatorHost.Create(
            ["--urls", "http://127.0.0.1:0", "--GITHUB_TOKEN", _gitHubToken, "--GITHUB_ORG", Organization, "--SIMULATOR_DATA", ""]);
        await simulator.StartAsync(cancellationToken);
        var gitHub = simulator.Services.GetRequiredService<SimulatorState>();
        gitHub.PrimaryLimit.Set(int.MaxValue);
        var faults = new FaultMix(gitHub, options.Seed);

        var environment = Environment(postgres.ConnectionString, simulator.Urls.Single());
        await using var first = ServiceInstance.Start(options.Assembly, environment, Log("instance-1.log"));
        await using var second = ServiceInstance.Start(options.Assembly, environment, Log("instance-2.log"));
        ServiceInstance[] instances = [first, second];
        using var approvals = new Approvals(instances, faults, options, _apiToken);
        var killings = new Killings(first, second, options.Seed);

        await BothReadyAsync(instances, StartLimit, cancellationToken);
        progress.WriteLine($"seed {options.Seed}: both instances are ready");
        await DisturbAsync(postgres, faults, approvals, killings, instances, cancellationToken);
        faults.Clear();

        await using var dataSource = NpgsqlDataSource.Create(postgres.ConnectionString);
        var database = new ChaosDatabase(dataSource);
        var settled = await SettleAsync(database, approvals, cancellationToken);
        return Report(
            gitHub, faults, approvals, killings, instances, settled,
            await database.ReadProjectsAsync(cancellationToken), await database.ReadJobStatesAsync(cancellationToken));
    }

    private Dictionary<string, string> Environment(string connectionString, string gitHub) => new()
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["ConnectionStrings__DataService"] = connectionString,
        ["API_TOKEN"] = _apiToken,
        ["GITHUB_TOKEN"] = _gitHubToken,
        ["GITHUB_ORG"] = Organization,
        ["GITHUB_API_URL"] = gitHub,
        ["GitHub__RequestTimeout"] = FaultMix.RequestTimeout.ToString("c", CultureInfo.InvariantCulture),
        // The pace that GitHub asks for is not what is tried here, and would allow an approval a second only.
        ["GitHub__ContentBudget"] = "off",
        ["Jobs__FirstRetryDelay"] = "00:00:01",
    };

    private TextWriter Log(string name)
    {
        if (options.LogFolder is not { } folder)
            return TextWriter.Null;
        Directory.CreateDirectory(folder);
        return File.CreateText(Path.Combine(folder, name));
    }

    private async Task DisturbAsync(
        EmbeddedPostgres postgres, FaultMix faults, Approvals approvals, Killings killings, ServiceInstance[] instances,
        CancellationToken cancellationToken)
    {
        using var chaos = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        chaos.CancelAfter(options.Duration);
        try
        {
            await Task.WhenAll(
                EndingWith(chaos, approvals.RunAsync(chaos.Token, cancellationToken)),
                EndingWith(chaos, killings.RunAsync(chaos.Token)),
                EndingWith(chaos, faults.ChangeVisibilityAsync(chaos.Token)),
                EndingWith(chaos, RestartDatabaseAsync(postgres, chaos.Token)),
                EndingWith(chaos, instances[0].Supervision.WaitAsync(chaos.Token)),
                EndingWith(chaos, instances[1].Supervision.WaitAsync(chaos.Token)),
                EndingWith(chaos, TellProgressAsync(approvals, instances, chaos.Token)));
        }
        catch (OperationCanceledException) when (chaos.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The end of the chaos.
        }
    }

    /// <summary>One that breaks ends the others: without it the run would prove less than it says.</summary>
    private static async Task EndingWith(CancellationTokenSource chaos, Task task)
    {
        try
        {
            await task;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            await chaos.CancelAsync();
            throw;
        }
    }

    private async Task RestartDatabaseAsync(EmbeddedPostgres postgres, CancellationToken cancellationToken)
    {
        foreach (var _ in DatabaseRestarts)
        {
            await Task.Delay(options.Duration / (DatabaseRestarts.Length + 1), cancellationToken);
            var from = DateTime.UtcNow;
            await postgres.RestartAsync();
            _databaseDown.Enqueue(new(from, DateTime.UtcNow));
        }
    }

    private async Task TellProgressAsync(Approvals approvals, ServiceInstance[] instances, CancellationToken cancellationToken)
    {
        var began = DateTime.UtcNow;
        using var ticks = new PeriodicTimer(ProgressInterval);
        while (await ticks.WaitForNextTickAsync(cancellationToken))
        {
            var kills = Lives(instances).Count(life => life.Killed);
            await progress.WriteLineAsync(
                $"{(DateTime.UtcNow - began).TotalSeconds:0} s: {approvals.Acknowledged.Count} approvals acknowledged, {kills} kills");
        }
    }

    private static async Task BothReadyAsync(ServiceInstance[] instances, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit);
        using var ticks = new PeriodicTimer(Poll);
        try
        {
            while (!instances.All(instance => instance.IsReady))
                await ticks.WaitForNextTickAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The instances did not start: {Lives(instances).Last().Complaint}");
        }
    }

    /// <returns>How long it took; null where it never came, because of the limit or because nothing moves any more.</returns>
    private async Task<TimeSpan?> SettleAsync(ChaosDatabase database, Approvals approvals, CancellationToken cancellationToken)
    {
        progress.WriteLine($"The chaos is over; waiting for {approvals.Acknowledged.Count} repositories");
        var (began, moved, unlinked) = (DateTime.UtcNow, DateTime.UtcNow, -1);
        using var ticks = new PeriodicTimer(Poll);
        while (DateTime.UtcNow - began < options.SettleLimit && DateTime.UtcNow - moved < Stillness)
        {
            var projects = await database.ReadProjectsAsync(cancellationToken);
            var liveJobs = await database.CountLiveJobsAsync(cancellationToken);
            var linked = projects.Where(project => project.GithubRepo is not null).Select(project => project.Id);
            var now = approvals.Acknowledged.Keys.Except(linked).Count();
            if (now is 0 && liveJobs is 0)
                return DateTime.UtcNow - began;
            if (now != unlinked || liveJobs > 0)
                (moved, unlinked) = (DateTime.UtcNow, now);
            await ticks.WaitForNextTickAsync(cancellationToken);
        }

        return null;
    }

    private ChaosReport Report(
        SimulatorState gitHub, FaultMix faults, Approvals approvals, Killings killings, ServiceInstance[] instances, TimeSpan? settled,
        List<ProjectRow> projects, List<JobState> states)
    {
        var audit = Audit.Of(approvals.Acknowledged, projects, gitHub.Repositories.All);
        var lives = Lives(instances);
        TimeWindow[] databaseDown = [.. _databaseDown];
        var rescues = Rescues.Measure(states, lives, databaseDown);
        var requests = gitHub.Requests.All;
        var creations = requests.Where(request => request.Method is "POST").ToList();
        return new()
        {
            Duration = options.Duration,
            Seed = options.Seed,
            Approvals = approvals.Acknowledged.Count,
            Unanswered = approvals.Unanswered,
            Repeated = approvals.Repeated,
            Refusals = approvals.Refusals,
            Kills = lives.Count(life => life.Killed),
            KillsInStart = killings.InStart,
            KillsOfBoth = killings.OfBoth,
            EndedByThemselves = [.. lives
                .Where(life => life is { Killed: false, EndedAt: { } end } && !databaseDown.Any(window => window.Holds(end)))
                .Select(life => $"process {life.ProcessId} at {life.EndedAt:HH:mm:ss.fff}: {life.Complaint}")],
            DatabaseRestarts = databaseDown.Length,
            Duplicates = Texts(audit.Duplicates),
            Orphans = Texts(audit.Orphans),
            Missing = Texts(audit.Missing),
            Wrong = Texts(audit.Wrong),
            Rescues = rescues.All.Count,
            MedianRescue = rescues.Median,
            LongestRescue = rescues.Longest?.Wait ?? TimeSpan.Zero,
            LongestRescued = rescues.Longest?.Slug,
            Abandoned = rescues.Abandoned,
            Settled = settled,
            CreationsAsked = creations.Count,
            CreationsAtOnce = AtOnce(creations),
            FaultsMet = faults.Met,
            Strangers = faults.Strangers,
            Traces = audit.All.Select(violation => violation.Slug).Append(rescues.Longest?.Slug).OfType<string>().Distinct().ToDictionary(
                slug => slug,
                IReadOnlyList<string> (slug) =>
                    [$"drawn: {faults.DrawnFor(slug)}", .. ProjectTrace.Of(slug, requests, states, lives, databaseDown)]),
        };
    }

    /// <summary>A project's names begin with its slug, which has a fixed length.</summary>
    private static int AtOnce(IEnumerable<ReceivedRequest> creations) => creations
        .GroupBy(request => ProjectTrace.NameOf(request)![..Approvals.SlugLength])
        .Sum(of => of.OrderBy(request => request.Time).ToArray() is var ordered
            ? ordered.Zip(ordered.Skip(1)).Count(pair => pair.First.EndedAt is not { } end || pair.Second.Time < end)
            : 0);

    private static List<InstanceLife> Lives(ServiceInstance[] instances) => [.. instances.SelectMany(instance => instance.Lives)];

    private static string[] Texts(IEnumerable<Violation> violations) => [.. violations.Select(violation => violation.Text)];
}
