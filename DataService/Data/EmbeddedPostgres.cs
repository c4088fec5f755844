using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace DataService.Data;

/// <summary>
/// The private PostgreSQL cluster of Development and of the tests: made at the first start, found again at the next one, reachable from this
/// machine only and with a random password. Whoever starts it first owns it and stops it; others that come while the owner lives only use it.
/// </summary>
internal sealed partial class EmbeddedPostgres : IAsyncDisposable
{
    private const string Name = "dataservice";
    private const string UnfinishedPrefix = "data.unfinished-";
    private const int PortAttempts = 5;
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly string _folder;
    private readonly string _data;
    private readonly EmbeddedPostgresOptions _options;
    private readonly CancellationTokenSource _exiting = new();
    private readonly TaskCompletionSource _settled = new();
    private PostgresBinaries? _binaries;
    private FileStream? _ownership;

    private EmbeddedPostgres(string folder, EmbeddedPostgresOptions options) =>
        (_folder, _data, _options) = (folder, Path.Combine(folder, "data"), options);

    /// <summary>Connects to the database <c>dataservice</c>; holds the password, so it does not belong in a log.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>True where this instance stops the cluster when disposed.</summary>
    public bool IsOwner => _ownership is not null;

    private string PasswordFile => Path.Combine(_folder, "password");

    private string LogFile => Path.Combine(_folder, "postgres.log");

    /// <summary>Starts the cluster of a folder, or joins it where it runs already. Returns when it takes connections.</summary>
    /// <param name="folder">Holds the data, the password and the log; made when missing.</param>
    /// <param name="options">What differs from a cluster that keeps its data.</param>
    /// <param name="cancellationToken">Gives up; a cluster that was being started is stopped again.</param>
    /// <exception cref="EmbeddedPostgresException">The message says what is missing, and what to do about it.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        string folder, EmbeddedPostgresOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException(
                "The embedded PostgreSQL runs on Linux and macOS only. Set ConnectionStrings__DataService to a PostgreSQL server.");
        }

        var postgres = new EmbeddedPostgres(Path.GetFullPath(folder), options ?? new());
        AppDomain.CurrentDomain.ProcessExit += postgres.StopAtExit;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, postgres._exiting.Token);
        try
        {
            await postgres.StartOrJoinAsync(either.Token);
        }
        catch (UnauthorizedAccessException e)
        {
            await postgres.DisposeAsync();
            throw new EmbeddedPostgresException(
                $"{postgres._folder} belongs to another user, perhaps from a start as root ({e.Message}). Start as that user, or move the folder away.",
                e);
        }
        catch
        {
            await postgres.DisposeAsync();
            throw;
        }
        finally
        {
            postgres._settled.SetResult();
        }

        return postgres;
    }

    /// <summary>
    /// Crashes the server and starts it again at once, on the same port: every connection breaks, and what was committed is recovered.
    /// Returns when it takes connections.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another process owns the cluster.</exception>
    /// <exception cref="EmbeddedPostgresException">It did not come up again; the message has the server's last words.</exception>
    public async Task RestartAsync()
    {
        if (!IsOwner || _binaries is not { } binaries) throw new InvalidOperationException($"The PostgreSQL in {_folder} is another process's.");

        var seconds = ReadyLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        // Without -o, pg_ctl takes the options of the last start, and so the port. Not to be cancelled: half of it is a server that is gone.
        var result = await binaries.RunAsync(
            "pg_ctl", ["restart", "-D", _data, "-l", LogFile, "-m", "immediate", "-w", "-t", seconds], CancellationToken.None);
        if (!result.Succeeded) throw new EmbeddedPostgresException($"PostgreSQL did not start again: {result.Output}\n{LogTail()}");
    }

    /// <summary>Stops the cluster if this instance owns it, and deletes a throw-away one.</summary>
    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= StopAtExit;
        if (Interlocked.Exchange(ref _ownership, null) is not { } ownership) return;

        if (_binaries is { } binaries) await StopAsync(binaries);
        if (_options.ThrowAway) Directory.Delete(_folder, recursive: true);
        await ownership.DisposeAsync();
    }

    // A start that fails later on ends the process with nobody to dispose this.
    private void StopAtExit(object? sender, EventArgs e)
    {
        _exiting.Cancel();
        _settled.Task.Wait();
        DisposeAsync().AsTask().Wait();
    }

    [UnsupportedOSPlatform("windows")]
    private async Task StartOrJoinAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_folder);
        var waited = Stopwatch.StartNew();
        while (true)
        {
            _ownership = TryOwn();
            if (_ownership is not null)
            {
                await StartOwnAsync(cancellationToken);
                return;
            }

            // The owner may still be making the cluster, or be stopping it: then it becomes ours.
            if (Postmaster.Read(_data) is { IsAlive: true } running && await AnswersAsync(running, Name, cancellationToken))
            {
                ConnectionString = ConnectionStringFor(running.Port, Name);
                LogJoined(_options.Logger, _folder, running.Port);
                return;
            }

            if (waited.Elapsed > ReadyLimit)
                throw new EmbeddedPostgresException($"Another process holds {_folder} and has not brought its PostgreSQL up. {LogTail()}");
            await Task.Delay(PollInterval, cancellationToken);
        }
    }

    [UnsupportedOSPlatform("windows")]
    private async Task StartOwnAsync(CancellationToken cancellationToken)
    {
        var binaries = await PostgresBinaries.FindAsync(_data, _options.BinaryFolders, cancellationToken);
        await binaries.ChooseAccountAsync(_folder, _data, cancellationToken);
        _binaries = binaries;

        if (!Directory.Exists(_data)) await InitializeAsync(binaries, cancellationToken);
        if (!File.Exists(PasswordFile))
        {
            throw new EmbeddedPostgresException(
                $"{PasswordFile} is missing, which opens the data beside it. Put it back, or move {_folder} away.");
        }

        if (await AdoptAsync(cancellationToken) is not { } port)
        {
            await binaries.GiveAsync([_data], cancellationToken);
            port = await StartServerAsync(binaries, cancellationToken);
        }

        await CreateDatabaseAsync(port, cancellationToken);
        ConnectionString = ConnectionStringFor(port, Name);
    }

    // Advisory and bound to the open file: it ends with this process, however that ends.
    [UnsupportedOSPlatform("windows")]
    private FileStream? TryOwn()
    {
        try
        {
            return OpenPrivate(Path.Combine(_folder, "owner.lock"), FileMode.OpenOrCreate);
        }
        catch (IOException e) when (e.HResult is 11 or 35)
        {
            // EWOULDBLOCK of Linux and of macOS; a full disk or a read-only one is no lock.
            return null;
        }
    }

    [UnsupportedOSPlatform("windows")]
    private async Task InitializeAsync(PostgresBinaries binaries, CancellationToken cancellationToken)
    {
        // A rename ends it, so that data is complete wherever it exists. Each try has a name of its own: a killed service may have left an
        // initdb that still writes.
        var unfinished = Path.Combine(_folder, $"{UnfinishedPrefix}{Guid.NewGuid():N}");
        foreach (var leftover in Directory.GetDirectories(_folder, $"{UnfinishedPrefix}*")) DeleteUnfinished(leftover);

        File.Delete(PasswordFile);
        await using (var file = OpenPrivate(PasswordFile, FileMode.CreateNew))
        {
            file.Write(Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(32, lowercase: true)));
            file.Flush(flushToDisk: true);
        }

        // Not every system has C.UTF-8.
        foreach (var locale in (string[])["C.UTF-8", "C"])
        {
            Directory.CreateDirectory(unfinished, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            await binaries.GiveAsync([unfinished, PasswordFile], cancellationToken);

            var result = await binaries.RunAsync(
                "initdb",
                [
                    "-D", unfinished, "-U", Name, $"--pwfile={PasswordFile}", "--auth=scram-sha-256", "--encoding=UTF8",
                    $"--locale={locale}", "--data-checksums", .. _options.ThrowAway ? ["--no-sync"] : Array.Empty<string>(),
                ],
                cancellationToken);
            if (result.Succeeded)
            {
                Directory.Move(unfinished, _data);
                LogCreated(_options.Logger, binaries.Major, _data);
                return;
            }

            DeleteUnfinished(unfinished);
            if (locale == "C" || !result.Output.Contains("locale", StringComparison.Ordinal))
                throw new EmbeddedPostgresException($"initdb could not make a cluster in {_folder}:\n{result.Output}");
        }
    }

    private static void DeleteUnfinished(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException)
        {
            // Something still writes there: the next start that makes a cluster tries again.
        }
    }

    /// <summary>The port of the server that a killed owner left behind; null where none runs.</summary>
    private async Task<int?> AdoptAsync(CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        while (Postmaster.Read(_data) is { } postmaster)
        {
            // PostgreSQL sees for itself that nobody is there. It would stop, though, where a stranger has got the number since.
            if (postmaster.ProcessName is null) return null;
            if (!postmaster.IsAlive)
            {
                File.Delete(Postmaster.FileIn(_data));
                return null;
            }

            if (await AnswersAsync(postmaster, "postgres", cancellationToken))
            {
                LogAdopted(_options.Logger, _folder, postmaster.Port);
                return postmaster.Port;
            }

            if (waited.Elapsed > ReadyLimit)
            {
                throw new EmbeddedPostgresException(
                    $"{Postmaster.FileIn(_data)} names process {postmaster.Id}, which runs and takes no connections on port " +
                    $"{postmaster.Port}. If it is not this cluster's, delete the file. {LogTail()}");
            }

            await Task.Delay(PollInterval, cancellationToken);
        }

        return null;
    }

    [UnsupportedOSPlatform("windows")]
    private async Task<int> StartServerAsync(PostgresBinaries binaries, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            if (File.Exists(LogFile)) File.Move(LogFile, Path.ChangeExtension(LogFile, "previous.log"), overwrite: true);
            await OpenPrivate(LogFile, FileMode.CreateNew).DisposeAsync();
            await binaries.GiveAsync([LogFile], cancellationToken);

            var result = await RunStartAsync(binaries, port, cancellationToken);
            if (result.Succeeded)
            {
                LogStarted(_options.Logger, binaries.Major, _data, port);
                return port;
            }

            var log = LogTail();
            if (attempt == PortAttempts || !log.Contains("could not bind", StringComparison.Ordinal))
                throw new EmbeddedPostgresException($"PostgreSQL {binaries.Major} did not start: {result.Output}\n{log}");
        }
    }

    private async Task<ToolResult> RunStartAsync(PostgresBinaries binaries, int port, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var seconds = ReadyLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        var starting = binaries.RunAsync(
            "pg_ctl", ["start", "-D", _data, "-l", LogFile, "-w", "-t", seconds, "-o", ServerOptions(port)], CancellationToken.None);
        try
        {
            return await starting.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // A pg_ctl killed now could leave a server that has not written its number yet, and that nobody would stop.
            while (!starting.IsCompleted && Postmaster.Read(_data) is null) await Task.Delay(PollInterval, CancellationToken.None);
            await StopAsync(binaries);
            await starting;
            throw;
        }
    }

    // Given at every start, so that a cluster made by an older version of the service follows too. pg_ctl passes them through a shell.
    private string ServerOptions(int port)
    {
        string[] settings =
        [
            $"port={port.ToString(CultureInfo.InvariantCulture)}", "listen_addresses=127.0.0.1", "unix_socket_directories=''",
            $"max_connections={(_options.ThrowAway ? 600 : 200).ToString(CultureInfo.InvariantCulture)}", "max_prepared_transactions=0", "shared_buffers=128MB", "timezone=UTC", "log_timezone=UTC",
            .. _options.ThrowAway ? ["fsync=off", "full_page_writes=off", "autovacuum=off"] : Array.Empty<string>(),
        ];
        return string.Join(' ', settings.Select(setting => $"-c {setting}"));
    }

    private async Task CreateDatabaseAsync(int port, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(ConnectionStringFor(port, "postgres", pooling: false));
        await connection.OpenAsync(cancellationToken);
        await using var exists = new NpgsqlCommand($"SELECT 1 FROM pg_database WHERE datname = '{Name}'", connection);
        if (await exists.ExecuteScalarAsync(cancellationToken) is not null) return;

        await using var create = new NpgsqlCommand($"CREATE DATABASE {Name}", connection);
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<bool> AnswersAsync(Postmaster postmaster, string database, CancellationToken cancellationToken)
    {
        if (postmaster.Port == 0) return false;

        try
        {
            await using var connection = new NpgsqlConnection(ConnectionStringFor(postmaster.Port, database, pooling: false));
            await connection.OpenAsync(cancellationToken);
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.InvalidCatalogName)
        {
            // Starting, stopping, or the owner has not made the database yet.
            return false;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidPassword)
        {
            throw new EmbeddedPostgresException(
                $"The PostgreSQL on port {postmaster.Port} refuses the password in {PasswordFile}: it is another cluster's, or one was changed.", e);
        }
        catch (NpgsqlException e) when (e.InnerException is SocketException or IOException or TimeoutException)
        {
            return false;
        }
    }

    private async Task StopAsync(PostgresBinaries binaries)
    {
        if (Postmaster.Read(_data) is not { IsAlive: true }) return;

        string[] modes = _options.ThrowAway ? ["immediate"] : ["fast", "immediate"];
        foreach (var mode in modes)
        {
            var result = await binaries.RunAsync("pg_ctl", ["stop", "-D", _data, "-m", mode, "-w", "-t", "30"], CancellationToken.None);
            if (result.Succeeded || Postmaster.Read(_data) is not { IsAlive: true })
            {
                LogStopped(_options.Logger, _data);
                return;
            }

            LogNotStopped(_options.Logger, _data, mode, result.Output);
        }
    }

    private string ConnectionStringFor(int port, string database, bool pooling = true) => new NpgsqlConnectionStringBuilder
    {
        Host = IPAddress.Loopback.ToString(),
        Port = port,
        Database = database,
        Username = Name,
        Password = File.ReadAllText(PasswordFile),
        SslMode = SslMode.Disable,
        GssEncryptionMode = GssEncryptionMode.Disable,
        Pooling = pooling,
    }.ConnectionString;

    private string LogTail()
    {
        if (!File.Exists(LogFile)) return "";

        var lines = File.ReadLines(LogFile).TakeLast(10).ToList();
        return lines.Count == 0 ? "" : $"The last lines of {LogFile}:\n{string.Join('\n', lines)}";
    }

    [UnsupportedOSPlatform("windows")]
    private static FileStream OpenPrivate(string path, FileMode mode) => new(path, new FileStreamOptions
    {
        Mode = mode,
        Access = FileAccess.ReadWrite,
        Share = FileShare.None,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    // Free at this moment: StartServerAsync tries another one where somebody was faster.
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LoggerMessage(LogLevel.Information, "Created a PostgreSQL {Major} cluster in {Folder}")]
    private static partial void LogCreated(ILogger logger, int major, string folder);

    [LoggerMessage(LogLevel.Information, "PostgreSQL {Major} in {Folder} listens on 127.0.0.1:{Port}")]
    private static partial void LogStarted(ILogger logger, int major, string folder, int port);

    [LoggerMessage(LogLevel.Information, "Took over the PostgreSQL in {Folder} on 127.0.0.1:{Port}: the process that started it is gone")]
    private static partial void LogAdopted(ILogger logger, string folder, int port);

    [LoggerMessage(LogLevel.Information, "Using the PostgreSQL in {Folder} on 127.0.0.1:{Port}; another process started it and will stop it")]
    private static partial void LogJoined(ILogger logger, string folder, int port);

    [LoggerMessage(LogLevel.Information, "PostgreSQL in {Folder} stopped")]
    private static partial void LogStopped(ILogger logger, string folder);

    [LoggerMessage(LogLevel.Error, "PostgreSQL in {Folder} did not stop ({Mode}): {Output}")]
    private static partial void LogNotStopped(ILogger logger, string folder, string mode, string output);

    /// <summary>What a running server says of itself in its <c>postmaster.pid</c>. The port is 0 until it has written it.</summary>
    private sealed record Postmaster(int Id, int Port)
    {
        // The number may be another process's by now, after a crash of the machine.
        public bool IsAlive => ProcessName is "postgres" or "postmaster";

        public string? ProcessName
        {
            get
            {
                try
                {
                    using var process = Process.GetProcessById(Id);
                    // A zombie (without memory), which nobody collects in a container without init, still holds the number.
                    return process.WorkingSet64 > 0 ? process.ProcessName : "";
                }
                catch (ArgumentException)
                {
                    return null;
                }
                catch (InvalidOperationException)
                {
                    // It ended between the two calls.
                    return null;
                }
            }
        }

        public static string FileIn(string dataFolder) => Path.Combine(dataFolder, "postmaster.pid");

        public static Postmaster? Read(string dataFolder)
        {
            try
            {
                var lines = File.ReadAllLines(FileIn(dataFolder));
                return new(Number(lines, 0), Number(lines, 3));
            }
            catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        }

        private static int Number(string[] lines, int index) =>
            int.TryParse(lines.ElementAtOrDefault(index), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }
}

/// <summary>How a cluster differs from the one that Development keeps.</summary>
internal sealed record EmbeddedPostgresOptions
{
    /// <summary>
    /// For tests: survives a crash of the server and none of the machine, which makes it fast, takes the connections of many services at
    /// once, never vacuums, as a worker would be started each tenth of a second for a thousand databases, and its folder is deleted when it is
    /// disposed.
    /// </summary>
    public bool ThrowAway { get; init; }

    /// <summary>Where PostgreSQL is looked for instead of PATH and the usual folders; <c>*</c> stands for any part of one name.</summary>
    public IReadOnlyList<string>? BinaryFolders { get; init; }

    public ILogger Logger { get; init; } = NullLogger.Instance;
}

/// <summary>The embedded PostgreSQL cannot be used; the message is for the person at the terminal.</summary>
internal sealed class EmbeddedPostgresException(string message, Exception? innerException = null) : Exception(message, innerException);
