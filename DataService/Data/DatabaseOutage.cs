using System.Transactions;
using Npgsql;

namespace DataService.Data;

/// <summary>Tells a database that is away, restarting or overloaded from a fault of ours.</summary>
internal static class DatabaseOutage
{
    /// <summary>Whether the exception, or what caused it, is one that goes by itself: the same request may succeed in a moment.</summary>
    public static bool IsCauseOf(Exception? exception) => exception switch
    {
        null => false,
        // The server's own words: shutting down, starting up, too many connections, out of resources, a deadlock.
        PostgresException refused => refused.IsTransient,
        // All other kinds are about the connection: refused, cut, silent, or none left in the pool.
        NpgsqlException => true,
        TransactionInDoubtException or TransactionManagerCommunicationException => true,
        _ => IsCauseOf(exception.InnerException),
    };
}
