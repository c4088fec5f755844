using Microsoft.EntityFrameworkCore;

namespace DataService.Data;

internal static class Transactions
{
    extension(DataServiceDbContext db)
    {
        /// <summary>
        /// Runs the work in one transaction, again from the start after a transient fault of the database. The work loads what it
        /// changes by itself: an entity loaded outside would carry a lost attempt's changes into the next one.
        /// </summary>
        public Task<T> InTransactionAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
            db.Database.CreateExecutionStrategy().ExecuteAsync(async token =>
            {
                db.ChangeTracker.Clear();
                await using var transaction = await db.Database.BeginTransactionAsync(token);
                var result = await work(token);
                await db.SaveChangesAsync(token);
                await transaction.CommitAsync(token);
                return result;
            }, cancellationToken);
    }
}
