using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using DataService.Data;
using Npgsql;

namespace DataService.Benchmarks.Bench;

/// <summary>PostgreSQL's own load generator: what the database can do at most on this machine.</summary>
internal sealed partial class Pgbench
{
    private readonly string _path;

    private Pgbench(string path) => _path = path;

    /// <exception cref="CannotRunException">It is not installed beside PostgreSQL's other programs.</exception>
    public static async Task<Pgbench> FindAsync(Bed bed, CancellationToken cancellationToken)
    {
        IReadOnlyList<string>? folders = bed.Options.PostgresFolder is { } folder ? [folder] : null;
        var binaries = await PostgresBinaries.FindAsync(Path.Combine(bed.Folder, "postgres", "data"), folders, cancellationToken);
        var path = binaries.Tool("pgbench");
        return File.Exists(path)
            ? new(path)
            : throw new CannotRunException($"there is no {path}; Debian has it in the package postgresql, Red Hat in postgresql-contrib");
    }

    /// <summary>Runs a script over and over.</summary>
    /// <param name="bed">Whose database.</param>
    /// <param name="script">In pgbench's language.</param>
    /// <param name="clients">At once.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Transactions a second.</returns>
    public async Task<double> RunAsync(Bed bed, string script, int clients, int seconds, CancellationToken cancellationToken)
    {
        var file = Path.Combine(bed.Folder, "limit.sql");
        await File.WriteAllTextAsync(file, script, cancellationToken);
        var connection = new NpgsqlConnectionStringBuilder(bed.Database.ConnectionString);
        string[] arguments =
        [
            "-n", "-M", "prepared", "-c", $"{clients}", "-j", $"{Math.Min(clients, Environment.ProcessorCount)}", "-T", $"{seconds}",
            "-D", "i=0", "-f", file,
        ];
        var start = new ProcessStartInfo(_path, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["PGHOST"] = connection.Host, ["PGPORT"] = connection.Port.ToString(CultureInfo.InvariantCulture),
                ["PGUSER"] = connection.Username, ["PGPASSWORD"] = connection.Password, ["PGDATABASE"] = connection.Database,
                ["LC_ALL"] = "C",
            },
        };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode is 0 && Rate().Match(await output) is { Success: true } match
                ? double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
                : throw new CannotRunException($"pgbench failed: {await error}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    [GeneratedRegex(@"tps = ([0-9.]+) \(without")]
    private static partial Regex Rate();
}
