using System.Transactions;
using DataService.Data;
using Npgsql;

namespace DataService.Tests.Data;

public sealed class DatabaseOutageKindsTests
{
    [Theory]
    [InlineData(PostgresErrorCodes.AdminShutdown, true)]
    [InlineData(PostgresErrorCodes.CannotConnectNow, true)]
    [InlineData(PostgresErrorCodes.TooManyConnections, true)]
    [InlineData(PostgresErrorCodes.DeadlockDetected, true)]
    [InlineData(PostgresErrorCodes.DiskFull, true)]
    [InlineData(PostgresErrorCodes.UniqueViolation, false)]
    [InlineData(PostgresErrorCodes.UndefinedTable, false)]
    [InlineData(PostgresErrorCodes.InsufficientPrivilege, false)]
    public void What_the_server_says_tells_an_outage_from_a_fault(string sqlState, bool outage) =>
        Assert.Equal(outage, DatabaseOutage.IsCauseOf(new InvalidOperationException("Outer", new PostgresException("Inner", "FATAL", "FATAL", sqlState))));

    [Fact]
    public void A_lost_connection_and_an_unknown_commit_are_outages_and_a_fault_of_ours_is_none()
    {
        Assert.True(DatabaseOutage.IsCauseOf(new NpgsqlException("Exception while reading from stream", new IOException())));
        Assert.True(DatabaseOutage.IsCauseOf(new TransactionInDoubtException()));
        Assert.True(DatabaseOutage.IsCauseOf(new TransactionAbortedException("Aborted", new NpgsqlException())));
        Assert.False(DatabaseOutage.IsCauseOf(new InvalidOperationException("Ours")));
        Assert.False(DatabaseOutage.IsCauseOf(null));
    }
}
