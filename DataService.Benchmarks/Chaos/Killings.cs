namespace DataService.Benchmarks.Chaos;

/// <summary>
/// Kills every one to two seconds, or as soon after that as both instances are ready: one of them, and both at once now and then. Where
/// only one is ready it is spared, or nothing would ever run; the other one is killed in its start now and then.
/// </summary>
internal sealed class Killings(ServiceInstance first, ServiceInstance second, int seed)
{
    private const double ShareOfBoth = 0.05;
    private const double ShareInStart = 0.15;
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly Random _random = new(seed);

    public int InStart { get; private set; }

    /// <summary>Times that both instances were killed at once.</summary>
    public int OfBoth { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(Poll);
        while (true)
        {
            var pause = TimeSpan.FromSeconds(1 + _random.NextDouble());
            var (lot, victim) = (_random.NextDouble(), _random.Next(2) is 0 ? first : second);
            await Task.Delay(pause, cancellationToken);
            while (!Kill(lot, victim))
                await ticks.WaitForNextTickAsync(cancellationToken);
        }
    }

    private bool Kill(double lot, ServiceInstance victim)
    {
        switch (first.IsReady, second.IsReady)
        {
            case (true, true) when lot < ShareOfBoth:
                OfBoth++;
                return first.Kill() & second.Kill();
            case (true, true):
                return victim.Kill();
            case (true, false) when lot > 1 - ShareInStart && second.Kill():
            case (false, true) when lot > 1 - ShareInStart && first.Kill():
                InStart++;
                return true;
            default:
                return false;
        }
    }
}
