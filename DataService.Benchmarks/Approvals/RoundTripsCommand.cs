using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DataService.Benchmarks.Bench;

namespace DataService.Benchmarks.Approvals;

/// <summary>What PostgreSQL is told for one approval, as its own log has it.</summary>
internal static partial class RoundTripsCommand
{
    /// <summary>
    /// A statement of every approval is in the log about as often as there were approvals, beyond what the service does anyway.
    /// </summary>
    private const double RareShare = 0.5;

    /// <summary>How long the log is watched without approvals.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var approvals = BenchmarkCommand.Number("--approvals", "how many, one after another", 200, 5_000);
        var warmUp = BenchmarkCommand.Number("--warm-up", "approvals before that, not counted", 500, 5_000);
        return BenchmarkCommand.Create(
            "round-trips", "Statements of one approval, counted in PostgreSQL's log.", [approvals, warmUp],
            (arguments, bed, report, cancellationToken) =>
                RunAsync(bed, report, arguments.GetValue(approvals), arguments.GetValue(warmUp), cancellationToken));
    }

    private static async Task RunAsync(Bed bed, Report report, int approvals, int warmUp, CancellationToken cancellationToken)
    {
        bed.HoldGitHub();
        var service = await bed.StartAsync("service", cancellationToken);
        await bed.Database.SeedProjectsAsync("counted", warmUp + approvals, cancellationToken);
        await bed.Database.ExecuteAsync("ANALYZE", cancellationToken);
        var supply = new ProjectSupply("counted", warmUp + approvals);
        var load = new HttpLoad(service.Address, service.Token);
        load.Run(4, TimeSpan.FromMinutes(1), supply.Take(warmUp));

        await bed.Database.ExecuteAsync("ALTER SYSTEM SET log_statement = 'all'", cancellationToken);
        await bed.Database.ExecuteAsync("ALTER SYSTEM SET log_line_prefix = '%p '", cancellationToken);
        await ReloadAsync(bed, "all", cancellationToken);
        var begin = new FileInfo(bed.PostgresLog).Length;
        await Task.Delay(Idle, cancellationToken);
        var from = new FileInfo(bed.PostgresLog).Length;
        var measured = load.Run(1, TimeSpan.FromMinutes(1), supply.Take(approvals));
        await bed.Database.ExecuteAsync("ALTER SYSTEM RESET log_statement", cancellationToken);
        await ReloadAsync(bed, "none", cancellationToken);

        var idle = (await ReadAsync(bed.PostgresLog, begin, from, cancellationToken)).CountBy(statement => statement).ToDictionary();
        var statements = (await ReadAsync(bed.PostgresLog, from, long.MaxValue, cancellationToken)).CountBy(statement => statement)
            .Select(statement => (Text: statement.Key, Share: (statement.Value - Anyway(statement.Key)) / measured.Succeeded))
            .Where(statement => statement.Share >= RareShare).OrderByDescending(statement => statement.Share).ToList();
        if (statements is [])
            throw new CannotRunException($"PostgreSQL's log has no statements of the approvals: {bed.PostgresLog}");
        foreach (var (statement, share) in statements)
            report.Note($"{share:0.00} an approval: {statement}");
        // What the driver sends along with the next statement is no round trip of its own; it is counted all the same.
        report.AtMost("statements of one approval, and so round trips", statements.Sum(statement => statement.Share), 3);

        double Anyway(string statement) => idle.GetValueOrDefault(statement) * measured.Seconds / Idle.TotalSeconds;
    }

    /// <summary>Each session takes a new setting in its own time; a fresh one shows that the server has it.</summary>
    private static async Task ReloadAsync(Bed bed, string value, CancellationToken cancellationToken)
    {
        await bed.Database.ExecuteAsync("SELECT pg_reload_conf()", cancellationToken);
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await bed.Database.QueryAsync<string>("SELECT current_setting('log_statement')", cancellationToken) != value)
            await ticks.WaitForNextTickAsync(cancellationToken);
    }

    /// <summary>The statements in a part of the log, cut to their beginnings.</summary>
    private static async Task<List<string>> ReadAsync(string path, long from, long to, CancellationToken cancellationToken)
    {
        await using var log = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Position = from;
        var text = new byte[Math.Min(to, log.Length) - from];
        await log.ReadExactlyAsync(text, cancellationToken);
        return [.. Statement().Matches(Encoding.UTF8.GetString(text)).Select(match => Cut(match.Groups["sql"].Value))];
    }

    private static string Cut(string sql)
    {
        var line = Blank().Replace(sql, " ").Trim();
        return line.Length <= 100 ? line : string.Create(CultureInfo.InvariantCulture, $"{line.AsSpan(0, 100)}...");
    }

    /// <summary>The lines of one statement behind its first begin with a tab.</summary>
    [GeneratedRegex(@"^\d+ LOG:  (?:statement|execute [^:]*): (?<sql>.*(?:\n\t.*)*)", RegexOptions.Multiline)]
    private static partial Regex Statement();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
