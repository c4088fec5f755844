using DataService.Data;
using DataService.Domain;
using Microsoft.EntityFrameworkCore;

namespace DataService.GitHub;

/// <summary>Whose turn it is to create content.</summary>
/// <param name="WaitUntil">UTC; null where the call may be made now, and has been counted.</param>
/// <param name="Now">UTC, by the database's clock.</param>
internal readonly record struct Turn(DateTime? WaitUntil, DateTime Now);

/// <summary>
/// Keeps the calls of all instances that create content within GitHub's limits: whoever goes faster is blocked, and whoever then goes
/// on is banned. The calls are counted in PostgreSQL, by its clock, before they are sent.
/// </summary>
internal sealed class ContentBudget(GitHubOptions options)
{
    private readonly TimeSpan _spacing = options.ContentBudget.Count > 0 ? options.ContentBudget.Min(limit => limit.Period / limit.Calls) : TimeSpan.Zero;
    private readonly TimeSpan _longest = options.ContentBudget.Count > 0 ? options.ContentBudget.Max(limit => limit.Period) : TimeSpan.Zero;
    private readonly int[] _counts = [.. options.ContentBudget.Select(limit => limit.Calls)];

    /// <summary>
    /// Counts a call within the caller's transaction, or reserves a later turn. Turns are given in the order of asking, and each is
    /// checked again when it has come: a call is never made on an old promise alone.
    /// </summary>
    /// <param name="db">With an open transaction.</param>
    /// <param name="reserved">The turn that an earlier call of this reserved for the same work; null for new work.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    public async Task<Turn> TakeAsync(DataServiceDbContext db, DateTime? reserved, CancellationToken cancellationToken)
    {
        if (options.ContentBudget.Count is 0)
            return await PeekAsync(db, cancellationToken);
        var quota = await LockAsync(db, cancellationToken);
        var now = await db.ClockAsync(cancellationToken);
        var earliest = Later(await EarliestAsync(db, now, cancellationToken), quota.LimitedUntil);
        if (reserved is null)
            earliest = Later(earliest, quota.NextTurnAt);
        if (earliest <= now)
        {
            db.ContentCalls.Add(new ContentCall(options.Credential, now));
            await db.ContentCalls.Where(call => call.Credential == options.Credential && call.At < now - _longest).ExecuteDeleteAsync(cancellationToken);
            return new Turn(null, now);
        }

        // A reservation that is a little early is kept; one that has been overtaken goes to the end of the queue.
        var turn = reserved is { } own && own >= earliest ? own : Later(earliest, quota.NextTurnAt);
        if (turn != reserved)
            quota.Reserve(turn, _spacing);
        return new Turn(turn, now);
    }

    /// <summary>Whether GitHub has limited the token; without one, calls that only read may be made.</summary>
    public async Task<Turn> PeekAsync(DataServiceDbContext db, CancellationToken cancellationToken)
    {
        var limitedUntil = await db.GitHubQuotas.AsNoTracking().Where(quota => quota.Credential == options.Credential)
            .Select(quota => quota.LimitedUntil).SingleOrDefaultAsync(cancellationToken);
        var now = await db.ClockAsync(cancellationToken);
        return new Turn(limitedUntil > now ? limitedUntil : null, now);
    }

    /// <summary>The token's row for a change, in the caller's transaction.</summary>
    public async Task<GitHubQuota> LockAsync(DataServiceDbContext db, CancellationToken cancellationToken)
    {
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO github_quotas (credential, limits_in_a_row, refusals_in_a_row) VALUES ({options.Credential}, 0, 0) ON CONFLICT DO NOTHING", cancellationToken);
        return await db.GitHubQuotas.FromSql($"SELECT * FROM github_quotas WHERE credential = {options.Credential} FOR UPDATE").AsTracking().SingleAsync(cancellationToken);
    }

    /// <summary>GitHub has limited the token, within the caller's transaction. The limit holds by the database's clock, for all instances.</summary>
    /// <param name="db">With an open transaction.</param>
    /// <param name="quota">The token's row, locked.</param>
    /// <param name="failure">With the time that GitHub stated, by this instance's clock.</param>
    /// <param name="now">UTC, by the same clock.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    /// <returns>The failure with the time at which the limit ends, by this instance's clock.</returns>
    public static async Task<Failure> LimitAsync(
        DataServiceDbContext db, GitHubQuota quota, Failure failure, DateTime now, CancellationToken cancellationToken)
    {
        var shared = await db.ClockAsync(cancellationToken);
        quota.Limit(failure.RetryAt is { } at ? shared + (at - now) : null, shared);
        return failure with { RetryAt = now + (quota.LimitedUntil - shared) };
    }

    /// <summary>GitHub has taken a call: what it refused before that is over.</summary>
    public Task<int> ForgiveAsync(DataServiceDbContext db, CancellationToken cancellationToken) => db.GitHubQuotas
        .Where(quota => quota.Credential == options.Credential && (quota.LimitsInARow > 0 || quota.RefusalsInARow > 0))
        .ExecuteUpdateAsync(quota => quota.SetProperty(q => q.LimitsInARow, 0).SetProperty(q => q.RefusalsInARow, 0), cancellationToken);

    /// <summary>When the next call fits into every limit, by the calls that were made.</summary>
    private async Task<DateTime> EarliestAsync(DataServiceDbContext db, DateTime now, CancellationToken cancellationToken)
    {
        // For each limit of n calls: the n-th last one. It has to be a period ago.
        var blocking = await db.Database.SqlQuery<DateTime?>(
            $"""
             SELECT (SELECT c.at FROM content_calls c WHERE c.credential = {options.Credential} ORDER BY c.at DESC OFFSET l.calls - 1 LIMIT 1) AS "Value"
             FROM unnest({_counts}) WITH ORDINALITY AS l (calls, place) ORDER BY l.place
             """).ToListAsync(cancellationToken);
        return options.ContentBudget.Zip(blocking, (limit, at) => at + limit.Period).Aggregate(now, Later);
    }

    private static DateTime Later(DateTime one, DateTime? other) => other > one ? other.Value : one;
}
