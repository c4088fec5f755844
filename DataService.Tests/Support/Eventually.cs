namespace DataService.Tests.Support;

internal static class Eventually
{
    /// <summary>Far above what anything here takes: on a machine that is busy with other things all takes long.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>Looks again and again until the condition holds, and fails with the last look when it never does.</summary>
    /// <param name="look">What to look at.</param>
    /// <param name="holds">The condition.</param>
    /// <param name="expectation">For the message: what was waited for.</param>
    /// <param name="limit">Null for 90 s.</param>
    public static async Task<T> ReturnsAsync<T>(Func<Task<T>> look, Func<T, bool> holds, string expectation, TimeSpan? limit = null)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(limit ?? Limit);
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(25));
        while (true)
        {
            var seen = await look();
            if (holds(seen))
                return seen;
            try
            {
                await ticks.WaitForNextTickAsync(deadline.Token);
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                Assert.Fail($"Waited for {expectation}; last seen: {seen}");
            }
        }
    }
}
