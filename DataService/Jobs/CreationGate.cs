using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using DataService.Http;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <param name="WaitUntil">UTC; null where the creation may go on.</param>
/// <param name="Reason">What it waits for.</param>
/// <param name="Turn">The turn that is reserved for it; null where none is.</param>
/// <param name="IsProbe">Whether it is the one attempt that tells whether a new token is accepted.</param>
internal readonly record struct Admission(DateTime? WaitUntil, WaitReason Reason = default, DateTime? Turn = null, bool IsProbe = false);

/// <summary>
/// Decides for all instances whether a creation may go on: not while creation is paused, not while GitHub has limited the token, and
/// not beyond the budget. Closes by itself when GitHub refuses the token again and again.
/// </summary>
internal sealed partial class CreationGate(ContentBudget budget, GitHubOptions gitHub, JobsOptions jobs, AuditTrail audit, TimeProvider time, ILogger<CreationGate> logger)
{
    /// <summary>How long a job waits before it looks whether the pause is over. Whoever resumes wakes it; this is for those that are missed.</summary>
    private static readonly TimeSpan ShortestPausedInterval = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LongestPausedInterval = TimeSpan.FromHours(1);

    /// <summary>Asks to go on, within the caller's transaction.</summary>
    /// <param name="db">With an open transaction.</param>
    /// <param name="creates">Whether the next call creates something, and so needs a turn of the budget.</param>
    /// <param name="turn">The turn that was reserved before.</param>
    /// <param name="isProbe">Whether this attempt has been let through as a probe before.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    public async Task<Admission> AdmitAsync(DataServiceDbContext db, bool creates, DateTime? turn, bool isProbe, CancellationToken cancellationToken)
    {
        var probed = isProbe ? await LockPauseAsync(db, cancellationToken) : null;
        if (!isProbe && await db.CreationPauses.AsNoTracking().SingleOrDefaultAsync(cancellationToken) is { } seen)
        {
            // Most wait, and need no lock for that. Of those that may try a new token, one does.
            var now = time.UtcNow;
            if (gitHub.Token is not null && seen.MayProbe(gitHub.Credential, now))
                probed = await LockPauseAsync(db, cancellationToken);
            if (probed?.MayProbe(gitHub.Credential, now) is not true)
                return new Admission(NextLook(now, seen.Since), WaitReason.Resume);
            probed.Probe(now);
        }

        var answer = creates ? await budget.TakeAsync(db, turn, cancellationToken) : await budget.PeekAsync(db, cancellationToken);
        if (answer.WaitUntil is not null)
            probed?.EndProbe();
        return answer.WaitUntil is { } at
            ? new Admission(time.UtcNow + (at - answer.Now), WaitReason.Budget, creates ? at : turn)
            : new Admission(null, IsProbe: isProbe || probed is not null);
    }

    /// <summary>When a job looks again whether creation goes on: the longer the pause, the more seldom, and not all at the same time.</summary>
    public static DateTime NextLook(DateTime now, DateTime since)
    {
        var interval = TimeSpan.FromTicks(Math.Clamp((now - since).Ticks / 4, ShortestPausedInterval.Ticks, LongestPausedInterval.Ticks));
        return now + interval * (1 + 0.2 * Random.Shared.NextDouble());
    }

    /// <summary>Draws from a failed call what concerns all creations, within the caller's transaction.</summary>
    /// <returns>The failure, with the time that GitHub's limit ends; and whether creation is paused because the token is refused.</returns>
    public async Task<(Failure Failure, bool Paused)> LearnAsync(DataServiceDbContext db, Failure failure, bool isProbe, CancellationToken cancellationToken)
    {
        var isRefusal = failure.Kind is FailureKind.GitHubUnauthorized or FailureKind.GitHubForbidden;
        var isLimit = failure.Kind is FailureKind.GitHubRateLimited;
        // Whoever is told what is wrong with the request has been let in.
        var isLetIn = failure.Kind is FailureKind.GitHubValidation or FailureKind.GitHubRepoNameTaken;
        if (!isRefusal && !isLimit && !isProbe)
        {
            if (isLetIn)
                await budget.ForgiveAsync(db, cancellationToken);
            return (failure, false);
        }

        // All that lock both lock the pause first.
        var pause = await LockPauseAsync(db, cancellationToken);
        if (isLetIn)
            await budget.ForgiveAsync(db, cancellationToken);
        var quota = await budget.LockAsync(db, cancellationToken);
        if (isLimit)
        {
            failure = await ContentBudget.LimitAsync(db, quota, failure, time.UtcNow, cancellationToken);
            LogLimited(failure.RetryAt, failure.Text);
        }

        if (!isRefusal)
        {
            if (isProbe)
                pause?.EndProbe();
            return (failure, false);
        }

        if (pause is not null)
        {
            if (isProbe)
                pause.RefuseProbe(failure, gitHub.Credential);
            return (failure, pause.Credential is not null);
        }

        quota.Refuse();
        if (jobs.PauseAfterRefusals is not { } most || quota.RefusalsInARow < most)
            return (failure, false);
        // Another one may have paused while this one waited for the quota.
        if (await db.CreationPauses.AnyAsync(cancellationToken))
            return (failure, true);
        var pausedNow = time.UtcNow;
        var paused = await db.Database.ExecuteSqlAsync(
            $"""
             INSERT INTO creation_pause (id, since, reason, code, credential)
             VALUES ({CreationPause.OnlyId}, {pausedNow}, {failure.Text}, {failure.Kind.Code}, {gitHub.Credential}) ON CONFLICT DO NOTHING
             """, cancellationToken);
        if (paused is 0)
            return (failure, true);
        audit.Record(
            db, AuditAction.Pause, reason: failure.Text, detail: $"GitHub refused the token {quota.RefusalsInARow} times in a row: {failure.Kind.Code}");
        LogPaused(quota.RefusalsInARow, failure.Kind.Code, failure.Text);
        return (failure, true);
    }

    /// <summary>GitHub has accepted the attempt's calls, within the caller's transaction.</summary>
    /// <param name="db">With an open transaction.</param>
    /// <param name="isProbe">Whether the attempt was let through as a probe.</param>
    /// <param name="hasCreated">Whether it has created something: a token that may look need not be one that may create.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    /// <returns>Whether that ended a pause.</returns>
    public async Task<bool> AcceptAsync(DataServiceDbContext db, bool isProbe, bool hasCreated, CancellationToken cancellationToken)
    {
        var pause = isProbe ? await LockPauseAsync(db, cancellationToken) : null;
        if (!hasCreated)
        {
            pause?.EndProbe();
            return false;
        }

        await budget.ForgiveAsync(db, cancellationToken);
        if (pause is null)
            return false;
        db.CreationPauses.Remove(pause);
        audit.Record(db, AuditAction.Resume, detail: "GitHub accepts the new token");
        LogAccepted();
        return true;
    }

    /// <summary>The pause's row for a change; null where creation goes on.</summary>
    public static Task<CreationPause?> LockPauseAsync(DataServiceDbContext db, CancellationToken cancellationToken) =>
        db.CreationPauses.FromSql($"SELECT * FROM creation_pause FOR UPDATE").AsTracking().SingleOrDefaultAsync(cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "GitHub has limited the token: nothing is created before {LimitedUntil}. {GithubError}")]
    private partial void LogLimited(DateTime? limitedUntil, string githubError);

    [LoggerMessage(Level = LogLevel.Error, Message = "Creation of repositories is paused: GitHub refused the token {Times} times in a row ({Code}). {GithubError}")]
    private partial void LogPaused(int times, string code, string githubError);

    [LoggerMessage(Level = LogLevel.Information, Message = "Creation of repositories goes on: GitHub accepts the new token")]
    private partial void LogAccepted();
}
