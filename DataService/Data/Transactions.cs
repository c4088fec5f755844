using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace DataService.Data;

internal static class Transactions
{
    extension(DataServiceDbContext db)
    {
        /// <summary>
        /// Runs the work in one transaction, again from the start after a transient fault of the database. The work loads what it
        /// changes by itself: an entity loaded outside would carry a lost attempt's changes into the next one. Where the answer to the
        /// commit was lost, the database is asked what has become of it: what was committed is not done twice.
        /// </summary>
        public Task<T> InTransactionAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
            db.Database.CreateExecutionStrategy().ExecuteAsync(
                new Attempt<T>(),
                async (_, attempt, token) =>
                {
                    (attempt.Id, attempt.Result) = (null, default);
                    db.ChangeTracker.Clear();
                    await using var transaction = await db.Database.BeginTransactionAsync(token);
                    var result = await work(token);
                    await db.SaveChangesAsync(token);
                    // Null where nothing was written.
                    var id = await db.Database.SqlQuery<string?>($"""SELECT pg_current_xact_id_if_assigned()::text AS "Value" """).SingleAsync(token);
                    (attempt.Id, attempt.Result) = (id, result);
                    await transaction.CommitAsync(token);
                    return result;
                },
                async (_, attempt, token) => new ExecutionResult<T>(attempt.Id is { } id && await IsCommittedAsync(db, id, token), attempt.Result!),
                cancellationToken);
    }

    /// <summary>A commit that still runs has an end: its process notices that nobody listens.</summary>
    private static async Task<bool> IsCommittedAsync(DataServiceDbContext db, string id, CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        string? status;
        do
        {
            try
            {
                status = await db.Database.SqlQueryRaw<string?>("""SELECT pg_xact_status(@id::text::xid8) AS "Value" """, new NpgsqlParameter("id", id)).SingleAsync(cancellationToken);
            }
            catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InvalidParameterValue)
            {
                // It lies in the future of the server that has taken over, which has not received it.
                return false;
            }
        }
        while (status is "in progress" && await ticks.WaitForNextTickAsync(cancellationToken));
        return status is "committed";
    }

    private sealed class Attempt<T>
    {
        /// <summary>The transaction's, where it came as far as its commit.</summary>
        public string? Id { get; set; }

        public T? Result { get; set; }
    }
}
