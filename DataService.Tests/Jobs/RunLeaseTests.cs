using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using DataService.Jobs;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace DataService.Tests.Jobs;

public sealed class RunLeaseTests
{
    /// <summary>Each job has a lease, and an exception costs more than the rest of it: the runtime looks up the lines of its stack.</summary>
    [Fact]
    public async Task A_lease_ends_without_an_exception()
    {
        // No renewal comes due, so nothing connects.
        await using var source = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1");
        var lease = new RunLease(source, TimeProvider.System, NullLogger<RunLease>.Instance);
        var thrown = new ConcurrentQueue<string>();
        // Other tests run beside this one: only what is thrown into the lease counts.
        void Keep(object? sender, FirstChanceExceptionEventArgs happened)
        {
            if (Environment.StackTrace.Contains(nameof(RunLease) + ".", StringComparison.Ordinal))
                thrown.Enqueue(happened.Exception.ToString());
        }

        AppDomain.CurrentDomain.FirstChanceException += Keep;
        try
        {
            await using (lease.Keep(Guid.NewGuid(), run: 1))
            {
            }
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Keep;
        }

        Assert.Empty(thrown);
    }
}
