using System.Globalization;
using DataService.Data;
using DataService.Jobs;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Diagnosis;

/// <summary>The database, what is in it, and what it tells of the jobs.</summary>
internal sealed class DatabaseChecks(NpgsqlDataSource dataSource, DataServiceDbContext db, CreationControl control, TimeProvider time)
{
    private const string MigrateCure = "Run DataService --migrate-only, or start an instance: it migrates first.";

    /// <summary>A database that takes longer does not serve.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan TooLongWait = TimeSpan.FromMinutes(15);

    public async Task<List<CheckResponse>> RunAsync(CancellationToken cancellationToken)
    {
        var checks = new List<CheckResponse>();
        using var deadline = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            await RunAsync(checks, both.Token);
        }
        catch (Exception exception) when (DatabaseOutage.IsCauseOf(exception) || exception is PostgresException || deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var reason = deadline.IsCancellationRequested ? $"it has not answered within {Limit.TotalSeconds:0} s" : exception.GetBaseException().Message;
            checks.RemoveAll(check => check.Name is "database");
            checks.Insert(0, new CheckResponse(
                "database", CheckStatus.Fail, $"It cannot be used: {reason}. What is in it was not checked.",
                $"Start PostgreSQL, and check the host, the login and the database in {DataOptions.Variable}."));
        }

        return checks;
    }

    private async Task RunAsync(List<CheckResponse> checks, CancellationToken cancellationToken)
    {
        TimeSpan skew, took;
        await using (var connection = await dataSource.OpenConnectionAsync(cancellationToken))
        {
            var (begun, start) = (time.GetUtcNow(), time.GetTimestamp());
            await using var command = new NpgsqlCommand("SELECT clock_timestamp()", connection);
            var theirs = (DateTime)(await command.ExecuteScalarAsync(cancellationToken))!;
            took = time.GetElapsedTime(start);
            skew = begun.UtcDateTime + took / 2 - theirs;
            checks.Add(new CheckResponse("database", CheckStatus.Ok, $"PostgreSQL {connection.PostgreSqlVersion} answers in {Math.Ceiling(took.TotalMilliseconds):0} ms."));
        }

        checks.Add(ClockCheck.Of("database-clock", "the database's", skew));
        var migrations = await MigrationsAsync(cancellationToken);
        checks.Add(migrations);
        if (await HangfireTables.ReadFiguresAsync(db, cancellationToken) is { } figures)
            checks.AddRange(Schema(figures), Servers(figures), Queue(figures));
        else
            checks.Add(new CheckResponse("hangfire-schema", CheckStatus.Fail, "Hangfire's tables are missing.", MigrateCure));
        if (migrations.Status is not CheckStatus.Fail)
            checks.Add(await CreationAsync(cancellationToken));
    }

    private async Task<CheckResponse> MigrationsAsync(CancellationToken cancellationToken)
    {
        var known = db.Database.GetMigrations().ToList();
        var applied = (await db.Database.GetAppliedMigrationsAsync(cancellationToken)).ToList();
        if (known.Except(applied).Count() is > 0 and var missing)
            return new CheckResponse("migrations", CheckStatus.Fail, $"{missing} of {known.Count} are not applied.", MigrateCure);
        return applied.Except(known).Count() is > 0 and var newer
            ? new CheckResponse(
                "migrations", CheckStatus.Warn, $"The database has {newer} that this build does not know: a newer one has migrated it.", "Replace this instance by the newer version.")
            : new CheckResponse("migrations", CheckStatus.Ok, $"All {known.Count} are applied.");
    }

    private static CheckResponse Schema(HangfireFigures figures) => figures.Version == HangfireTables.KnownVersion
        ? new CheckResponse("hangfire-schema", CheckStatus.Ok, $"Version {figures.Version}, the known one.")
        : new CheckResponse(
            "hangfire-schema", CheckStatus.Warn, $"Version {figures.Version}, known is {HangfireTables.KnownVersion}: bulk re-runs go one by one, and slowly.",
            figures.Version < HangfireTables.KnownVersion ? MigrateCure : "Replace this instance by the version that has migrated it.");

    private static CheckResponse Servers(HangfireFigures figures) => figures.Servers > 0
        ? new CheckResponse("job-servers", CheckStatus.Ok, $"{figures.Servers} alive.")
        : new CheckResponse("job-servers", CheckStatus.Fail, "None is alive: no job runs.", "Start an instance of the service; if one runs, its log says why its workers do not.");

    private static CheckResponse Queue(HangfireFigures figures)
    {
        if (figures.OldestSeconds is not { } seconds)
            return new CheckResponse("queue", CheckStatus.Ok, "No job waits for a worker.");
        var age = TimeSpan.FromSeconds(Math.Max(0, seconds));
        var message = $"{figures.Waiting.ToString("N0", CultureInfo.InvariantCulture)} jobs wait for a worker, the first one since {age.TotalSeconds:0} s.";
        return age < LongWait
            ? new CheckResponse("queue", CheckStatus.Ok, message)
            : new CheckResponse(
                "queue", age < TooLongWait ? CheckStatus.Warn : CheckStatus.Fail, message,
                "Look at Servers and Processing in the dashboard: no live instance, or all workers held by a slow GitHub. More instances, or Jobs__Workers, take more at a time.");
    }

    private async Task<CheckResponse> CreationAsync(CancellationToken cancellationToken)
    {
        var status = await control.ReadAsync(cancellationToken);
        return status switch
        {
            { Pause: { Credential: not null } pause } => new CheckResponse(
                "creation", CheckStatus.Fail, $"Paused since {pause.Since:u}, because GitHub refused the token: {pause.Reason}",
                "Renew GITHUB_TOKEN and restart the instances: it resumes by itself. Or scripts/resume."),
            { Pause: { } pause } => new CheckResponse(
                "creation", CheckStatus.Warn, $"Paused by hand since {pause.Since:u}: {pause.Reason} Waiting: {status.WaitingForResume}.", "scripts/resume, when the reason is gone."),
            { LimitedUntil: { } until } => new CheckResponse(
                "creation", CheckStatus.Warn, $"GitHub has asked for a break until {until:u}. Waiting: {status.WaitingForBudget}.", "None needed: it goes on by itself. See who else uses the token."),
            _ => new CheckResponse("creation", CheckStatus.Ok, status.WaitingForBudget is 0 ? "Repositories are created." : $"Repositories are created; {status.WaitingForBudget} wait for their turn."),
        };
    }
}
