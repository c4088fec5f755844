using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace DataService.Data;

/// <summary>An installed PostgreSQL (initdb, pg_ctl, postgres), and the way to run it: as this user, or as another where this is root.</summary>
internal sealed partial class PostgresBinaries
{
    private const int OldestMajor = 14;

    private static readonly string[] UsualFolders =
    [
        "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*", "/usr/local/pgsql/bin",
        "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/opt/homebrew/bin",
        "/Applications/Postgres.app/Contents/Versions/*/bin",
    ];

    private readonly string _folder;
    private Account? _account;
    private string[] _prefix = [];

    private PostgresBinaries(string folder, int major) => (_folder, Major) = (folder, major);

    public int Major { get; }

    /// <summary>Finds the version that made <paramref name="dataFolder"/>, or the newest one where there is no data yet.</summary>
    /// <param name="dataFolder">The cluster's data, which may not exist.</param>
    /// <param name="searchFolders">Where to look instead of PATH and the usual folders; <c>*</c> stands for any part of one name.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="EmbeddedPostgresException">Nothing that fits is installed.</exception>
    public static async Task<PostgresBinaries> FindAsync(
        string dataFolder, IReadOnlyList<string>? searchFolders, CancellationToken cancellationToken)
    {
        var patterns = searchFolders ?? [.. PathFolders(), .. UsualFolders];
        var installed = new List<PostgresBinaries>();
        foreach (var folder in patterns.SelectMany(Expand).Select(WithTools).OfType<string>().Distinct())
        {
            if (await MajorOfAsync(folder, cancellationToken) is { } major) installed.Add(new(folder, major));
        }

        var usable = installed.Where(binaries => binaries.Major >= OldestMajor).ToList();
        var found = installed.Count == 0
            ? "none is installed"
            : "installed: " + string.Join(", ", installed.Select(binaries => $"{binaries.Major} in {binaries._folder}"));

        if (await DataMajorAsync(dataFolder, cancellationToken) is { } dataMajor)
        {
            return usable.Find(binaries => binaries.Major == dataMajor) ?? throw new EmbeddedPostgresException(
                $"The data in {dataFolder} was made by PostgreSQL {dataMajor}, and only that version can open it ({found}). Install " +
                $"PostgreSQL {dataMajor}, or move the folder away to start with an empty database. Nothing in it was changed.");
        }

        return usable.MaxBy(binaries => binaries.Major) ?? throw new EmbeddedPostgresException(
            $"No PostgreSQL {OldestMajor} or newer was found ({found}). Looked for initdb, pg_ctl and postgres in " +
            (searchFolders is null ? $"PATH, {string.Join(", ", UsualFolders)}" : string.Join(", ", searchFolders)) +
            ". Run ./scripts/run, which installs it, or set ConnectionStrings__DataService to a server of your own.");
    }

    /// <summary>Decides which user runs the cluster of <paramref name="folder"/>: PostgreSQL refuses to run as root.</summary>
    public async Task ChooseAccountAsync(string folder, string dataFolder, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess) return;

        var account = await AccountOfAsync(dataFolder, cancellationToken)
            ?? await AccountNamedAsync("postgres", cancellationToken)
            ?? await AccountNamedAsync("nobody", cancellationToken)
            ?? throw new EmbeddedPostgresException("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as.");

        string[] setpriv = ["setpriv", $"--reuid={account.User}", $"--regid={account.Group}", "--clear-groups"];
        string[][] ways =
        [
            [.. setpriv, "--inh-caps=-all"],
            ["runuser", "-u", account.Name, "--"],
            // The user cannot pass a folder above (a repository under /root, say): a capability opens the way, and only to these processes,
            // where changing the folders' modes would open it to everyone. The first is read-only, but most containers have just the second.
            [.. setpriv, "--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"],
            [.. setpriv, "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"],
        ];
        foreach (var way in ways)
        {
            string[] probe = [.. way, "/bin/sh", "-c", "ls -d \"$0/.\" && \"$1\" --version", folder, Tool("postgres")];
            if ((await ExecuteAsync(probe, cancellationToken)).Succeeded)
            {
                (_account, _prefix) = (account, way);
                return;
            }
        }

        throw new EmbeddedPostgresException(
            $"PostgreSQL does not run as root, and the user {account.Name} cannot be used for {folder}: it needs setpriv (util-linux) and a " +
            "way through the folders above. Start as an ordinary user, move the repository, or set ConnectionStrings__DataService.");
    }

    /// <summary>Gives files to the user that runs the cluster.</summary>
    public async Task GiveAsync(IEnumerable<string> paths, CancellationToken cancellationToken)
    {
        if (_account is not { } account) return;

        var result = await ExecuteAsync(["chown", "-R", $"{account.User}:{account.Group}", .. paths], cancellationToken);
        if (!result.Succeeded)
            throw new EmbeddedPostgresException($"The files could not be given to the user {account.Name}: {result.Output}");
    }

    public Task<ToolResult> RunAsync(string tool, IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        ExecuteAsync([.. _prefix, Tool(tool), .. arguments], cancellationToken);

    /// <summary>Where a program of this PostgreSQL is, or would be.</summary>
    public string Tool(string name) => Path.Combine(_folder, name);

    private static IEnumerable<string> PathFolders() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Where(Path.IsPathRooted);

    private static IEnumerable<string> Expand(string pattern)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0) return [pattern];

        var end = pattern.IndexOf('/', star) is var slash and >= 0 ? slash : pattern.Length;
        var parent = pattern[..pattern.LastIndexOf('/', star)];
        return Directory.Exists(parent)
            ? Directory.GetDirectories(parent, pattern[(parent.Length + 1)..end]).Select(folder => folder + pattern[end..])
            : [];
    }

    // Distributions link single tools into PATH (/usr/local/bin/initdb): their real folder holds them all.
    private static string? WithTools(string folder)
    {
        var initdb = Path.Combine(folder, "initdb");
        if (!File.Exists(initdb)) return null;

        var real = Path.GetDirectoryName(File.ResolveLinkTarget(initdb, returnFinalTarget: true)?.FullName ?? initdb)!;
        return File.Exists(Path.Combine(real, "pg_ctl")) && File.Exists(Path.Combine(real, "postgres")) ? real : null;
    }

    private static async Task<int?> MajorOfAsync(string folder, CancellationToken cancellationToken)
    {
        var result = await ExecuteAsync([Path.Combine(folder, "postgres"), "--version"], cancellationToken);
        return result.Succeeded && VersionPattern().Match(result.Output) is { Success: true } match
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : null;
    }

    private static async Task<int?> DataMajorAsync(string dataFolder, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(dataFolder)) return null;

        var file = Path.Combine(dataFolder, "PG_VERSION");
        var version = File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : "";
        return int.TryParse(version.Split('.')[0], NumberStyles.Integer, CultureInfo.InvariantCulture, out var major)
            ? major
            : throw new EmbeddedPostgresException($"{dataFolder} is not a PostgreSQL cluster's: move it away to start with an empty database.");
    }

    // Data that an ordinary user made stays that user's, so that both can start the service.
    private static async Task<Account?> AccountOfAsync(string dataFolder, CancellationToken cancellationToken) =>
        Directory.Exists(dataFolder)
        && await ExecuteAsync(["stat", "-c", "%U", dataFolder], cancellationToken) is { Succeeded: true, Output: not "root" } owner
            ? await AccountNamedAsync(owner.Output, cancellationToken)
            : null;

    private static async Task<Account?> AccountNamedAsync(string name, CancellationToken cancellationToken) =>
        await ExecuteAsync(["id", "-u", name], cancellationToken) is { Succeeded: true } user
        && await ExecuteAsync(["id", "-g", name], cancellationToken) is { Succeeded: true } group
            ? new(name, user.Output, group.Output)
            : null;

    private static async Task<ToolResult> ExecuteAsync(string[] command, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        KeepHarmlessVariables(start.Environment);

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            return new(ExitCode: 127, $"{command[0]}: {e.Message}");
        }

        using (process)
        {
            try
            {
                process.StandardInput.Close();
                var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
                var error = process.StandardError.ReadToEndAsync(cancellationToken);
                await process.WaitForExitAsync(cancellationToken);
                return new(process.ExitCode, (await output + await error).Trim());
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
    }

    // The service's tokens are no business of PostgreSQL's, PG* would redirect its tools, and messages are compared in English.
    private static void KeepHarmlessVariables(IDictionary<string, string?> variables)
    {
        var harmless = variables
            .Where(variable => variable.Key is "PATH" or "TMPDIR" or "HOME" or "LD_LIBRARY_PATH" or "DYLD_LIBRARY_PATH")
            .ToList();
        variables.Clear();
        harmless.ForEach(variables.Add);
        variables["LC_ALL"] = "C";
        variables["TZ"] = "UTC";
    }

    [GeneratedRegex(@"\) (\d+)")]
    private static partial Regex VersionPattern();

    private sealed record Account(string Name, string User, string Group);
}

/// <summary>How a PostgreSQL tool ended, and all that it printed.</summary>
internal readonly record struct ToolResult(int ExitCode, string Output)
{
    public bool Succeeded => ExitCode == 0;
}
