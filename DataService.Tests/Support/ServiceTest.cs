namespace DataService.Tests.Support;

/// <summary>A test with a running service of its own.</summary>
public abstract class ServiceTest(PostgresCluster cluster) : IAsyncLifetime
{
    private RunningService? _service;

    internal RunningService Service => _service ?? throw new InvalidOperationException("The service is not started.");

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Settings over the defaults of <see cref="RunningService"/>.</summary>
    protected virtual Dictionary<string, string?> Settings => [];

    public virtual async ValueTask InitializeAsync() => _service = await RunningService.StartAsync(cluster, Settings);

    public async ValueTask DisposeAsync()
    {
        if (_service is not null)
            await _service.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
