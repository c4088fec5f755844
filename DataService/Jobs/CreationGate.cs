using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
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
internal sealed partial class CreationGate(ContentBudget budget, GitHubOptions gitHub, JobsOptions jobs, TimeProvider time, ILogger<CreationGate> logger)
{
    /// <summary>How often a job looks whether the pause is over that nobody has told it the end of. Whoever resumes wakes it earlier.</summary>
    private static readonly TimeSpan PausedInterval = TimeSpan.FromMinutes(5);

    /// <summary>Asks to go on, within the caller's transaction.</summary>
    /// <param name="db">With an open transaction.</param>
    /// <param name="creates">Whether the next call creates something, and so needs a turn of the budget.</param>
    /// <param name="turn">The turn that was reserved before.</param>
    /// <param name="isProbe">Whether this attempt has been let through as a probe before.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    public async Task<Admission> AdmitAsync(DataServiceDbContext db, bool creates, DateTime? turn, bool isProbe, CancellationToken cancellationToken)
    {
        CreationPause? probed = null;
        if (!isProbe && await db.CreationPauses.AsNoTracking().SingleOrDefaultAsync(cancellationToken) is { } seen)
        {
            // Most wait, and need no lock for that. Of those that may try a new token, one does.
            if (seen.MayProbe(gitHub.Credential, time.UtcNow))
                probed = await LockPauseAsync(db, cancellationToken);
            if (probed?.MayProbe(gitHub.Credential, time.UtcNow) is not true)
                return new Admission(NextLook(time.UtcNow), WaitReason.Resume);
            probed.Probe(time.UtcNow);
        }

        var answer = creates ? await budget.TakeAsync(db, turn, cancellationToken) : await budget.PeekAsync(db, cancellationToken);
        if (answer.WaitUntil is not null)
            probed?.EndProbe();
        return answer.WaitUntil is { } at
            ? new Admission(time.UtcNow + (at - answer.Now), WaitReason.Budget, creates ? at : turn)
            : new Admission(null, IsProbe: isProbe || probed is not null);
    }

    /// <summary>When a job looks again whether creation goes on; not all at the same time.</summary>
    public static DateTime NextLook(DateTime now) => now + PausedInterval * (1 + 0.2 * Random.Shared.NextDouble());

    /// <summary>Draws from a failed call what concerns all creations, within the caller's transaction.</summary>
    /// <returns>The failure, with the time that GitHub's limit ends; and whether creation is paused because the token is refused.</returns>
    public async Task<(Failure Failure, bool Paused)> LearnAsync(DataServiceDbContext db, Failure failure, bool isProbe, CancellationToken cancellationToken)
    {
        var isRefusal = failure.Kind is FailureKind.GitHubUnauthorized or FailureKind.GitHubForbidden;
        var isLimit = failure.Kind is FailureKind.GitHubRateLimited;
        if (!isRefusal && !isLimit && !isProbe)
            return (failure, false);
        // All that lock both lock the pause first.
        var pause = await LockPauseAsync(db, cancellationToken);
        var quota = await budget.LockAsync(db, cancellationToken);
        if (isLimit)
        {
            quota.Limit(failure.RetryAt, await db.ClockAsync(cancellationToken));
            LogLimited(quota.LimitedUntil, failure.Text);
            failure = failure with { RetryAt = quota.LimitedUntil };
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
        db.CreationPauses.Add(CreationPause.ByRefusal(failure, gitHub.Credential, time.UtcNow));
        LogPaused(quota.RefusalsInARow, failure.Kind.Code, failure.Text);
        return (failure, true);
    }

    /// <summary>GitHub has accepted a call, within the caller's transaction.</summary>
    /// <returns>Whether that ended a pause.</returns>
    public async Task<bool> AcceptAsync(DataServiceDbContext db, bool isProbe, CancellationToken cancellationToken)
    {
        var pause = isProbe ? await LockPauseAsync(db, cancellationToken) : null;
        await budget.ForgiveAsync(db, cancellationToken);
        if (pause is null)
            return false;
        db.CreationPauses.Remove(pause);
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
