using DataService.Data;
using DataService.Domain;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs;

/// <param name="AuditEntries">How many were deleted.</param>
/// <param name="CreationEvents">How many were deleted.</param>
internal sealed record RetentionReport(int AuditEntries, int CreationEvents);

/// <summary>Forgets what is too old, in batches that hold up nobody. The dashboard shows how much as the job's result.</summary>
internal sealed class RetentionJob(DataServiceDbContext db, RetentionOptions options, TimeProvider time)
{
    public const string RecurringId = "retention";

    /// <summary>Every night.</summary>
    public const string Schedule = "23 3 * * *";

    private const int BatchSize = 1_000;

    /// <param name="cancellationToken">Filled in by Hangfire. What was deleted stays so, and the next run goes on.</param>
    public async Task<RetentionReport> RunAsync(CancellationToken cancellationToken)
    {
        var (audited, happened) = (time.UtcNow - options.Audit, time.UtcNow - options.Timeline);
        var entries = await DeleteAsync(
            () => db.AuditEntries.Where(entry => entry.At < audited).OrderBy(entry => entry.Id), cancellationToken);
        var settled = db.RepoCreations.Where(creation => creation.State == RepoCreationState.Created || creation.State == RepoCreationState.Skipped);
        var events = await DeleteAsync(
            () => db.CreationEvents.Where(e => e.At < happened && settled.Any(creation => creation.ProjectId == e.ProjectId)).OrderBy(e => e.Id),
            cancellationToken);
        return new RetentionReport(entries, events);
    }

    private async Task<int> DeleteAsync<T>(Func<IQueryable<T>> old, CancellationToken cancellationToken)
    {
        var deleted = 0;
        while (true)
        {
            var batch = await db.InTransactionAsync(async token =>
            {
                // The audit's trigger lets nobody else delete. Local: it ends with the transaction.
                await db.Database.ExecuteSqlAsync($"SELECT set_config('dataservice.retention', 'on', true)", token);
                return await old().Take(BatchSize).ExecuteDeleteAsync(token);
            }, cancellationToken);
            deleted += batch;
            if (batch < BatchSize)
                return deleted;
        }
    }
}
