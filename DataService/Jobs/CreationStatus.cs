using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using DataService.Http;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <param name="Pause">Why nothing is created; null where creation goes on.</param>
/// <param name="LimitedUntil">UTC; until then GitHub wants no content; null where it has no limit on us.</param>
/// <param name="Budget">What is used of each limit; empty where there is none.</param>
/// <param name="WaitingForBudget">Creations that wait for their turn.</param>
/// <param name="WaitingForResume">Creations that wait for the end of the pause.</param>
internal sealed record CreationStatus(
    CreationPause? Pause, DateTime? LimitedUntil, IReadOnlyList<(ContentLimit Limit, int Used)> Budget, int WaitingForBudget, int WaitingForResume);

/// <summary>Shows whether repositories are created, stops that and lets it go on; for all instances.</summary>
internal sealed partial class CreationControl(
    DataServiceDbContext db, JobTransaction transaction, AuditTrail audit, GitHubOptions gitHub, TimeProvider time, ILogger<CreationControl> logger)
{
    public async Task<CreationStatus> ReadAsync(CancellationToken cancellationToken)
    {
        var pause = await db.CreationPauses.AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        var now = await db.ClockAsync(cancellationToken);
        var limitedUntil = await db.GitHubQuotas.AsNoTracking().Where(q => q.Credential == gitHub.Credential && q.LimitedUntil > now)
            .Select(q => q.LimitedUntil).SingleOrDefaultAsync(cancellationToken);
        var budget = new List<(ContentLimit, int)>();
        foreach (var limit in gitHub.ContentBudget)
        {
            var since = now - limit.Period;
            budget.Add((limit, await db.ContentCalls.CountAsync(call => call.Credential == gitHub.Credential && call.At > since, cancellationToken)));
        }

        var waiting = await db.RepoCreations.Where(c => c.WaitsFor != null).GroupBy(c => c.WaitsFor!.Value).Select(g => new { Reason = g.Key, Count = g.Count() })
            .ToDictionaryAsync(g => g.Reason, g => g.Count, cancellationToken);
        return new CreationStatus(pause, limitedUntil, budget, waiting.GetValueOrDefault(WaitReason.Budget), waiting.GetValueOrDefault(WaitReason.Resume));
    }

    /// <summary>From now on every creation waits. Approvals go on, and so does an attempt that has begun. A pause by hand that is there already stays as it is; one that GitHub's refusals made becomes one by hand.</summary>
    /// <param name="reason">For people.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    public async Task PauseAsync(string reason, CancellationToken cancellationToken)
    {
        var now = time.UtcNow;
        var paused = await db.InTransactionAsync(async token =>
        {
            var changed = await db.Database.ExecuteSqlAsync(
                $"""
                 INSERT INTO creation_pause AS pause (id, since, reason) VALUES ({CreationPause.OnlyId}, {now}, {reason})
                 ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, code = NULL, credential = NULL, probe_until = NULL WHERE pause.credential IS NOT NULL
                 """, token);
            if (changed is 0)
                return false;
            audit.Record(db, AuditAction.Pause, reason: reason);
            return true;
        }, cancellationToken);
        if (paused)
            LogPaused(reason);
    }

    /// <summary>Ends the pause, whoever made it, and wakes what waited for that.</summary>
    /// <param name="reason">For people; null for none.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    public async Task ResumeAsync(string? reason, CancellationToken cancellationToken)
    {
        var resumed = await transaction.ExecuteAsync(async (jobs, token) =>
        {
            if (await CreationGate.LockPauseAsync(db, token) is not { } pause)
                return false;
            db.CreationPauses.Remove(pause);
            audit.Record(db, AuditAction.Resume, reason: reason, detail: $"Paused since {pause.Since:u}: {pause.Reason}");
            // The count begins anew, or the first refusal would close the gate again.
            await db.GitHubQuotas.Where(q => q.RefusalsInARow > 0).ExecuteUpdateAsync(q => q.SetProperty(x => x.RefusalsInARow, 0), token);
            jobs.Enqueue<WakeWaitingJob>(job => job.RunAsync(CancellationToken.None));
            return true;
        }, cancellationToken);
        if (resumed)
            LogResumed();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Creation of repositories is paused by hand: {Reason}")]
    private partial void LogPaused(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Creation of repositories is resumed by hand")]
    private partial void LogResumed();
}
