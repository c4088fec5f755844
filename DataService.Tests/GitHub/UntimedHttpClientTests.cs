using System.Runtime.CompilerServices;
using DataService.GitHub;
using DataService.Tests.Support;

namespace DataService.Tests.GitHub;

public sealed class UntimedHttpClientTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task Nothing_of_a_call_is_kept_after_its_answer()
    {
        var callers = new List<WeakReference>();
        for (var call = 0; call < 20; call++)
            callers.Add(await CallAsync());

        // The last one may still be in a thread's hands.
        await Eventually.ReturnsAsync(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return Task.FromResult(callers.Count(caller => caller.IsAlive));
            },
            alive => alive <= 1, "none but the last call's to be collected", limit: TimeSpan.FromSeconds(20));
    }

    /// <summary>In a method of its own, so that nothing here holds what belongs to the call.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<WeakReference> CallAsync()
    {
        using var caller = new CancellationTokenSource();
        await Service.Services.GetRequiredService<RepositoryCreator>().LookAsync("acme-shop", Guid.CreateVersion7(), caller.Token);
        return new WeakReference(caller);
    }
}
