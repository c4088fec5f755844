using DataService.Data;
using Serilog;

namespace DataService.Tests.Support;

/// <summary>
/// The service as its Program builds it, in this process, on a real socket. WebApplicationFactory is not used: what it runs a Program in
/// stays in memory for as long as any timer of the service does, and hundreds of services would.
/// </summary>
internal sealed class ServiceInProcess : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ServiceInProcess(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    public Uri Address => new(_app.Urls.First());

    /// <param name="settings">Those that are null are not given.</param>
    /// <param name="logs">Receives all that it logs.</param>
    /// <param name="replace">Changes what the service is made of.</param>
    public static async Task<ServiceInProcess> StartAsync(
        Dictionary<string, string?> settings, LogCapture logs, Action<IServiceCollection>? replace = null)
    {
        var all = new Dictionary<string, string?> { ["environment"] = "Development", ["urls"] = "http://127.0.0.1:0" };
        foreach (var (name, value) in settings)
            all[name] = value;
        string[] arguments = [.. all.Where(setting => setting.Value is not null).Select(setting => $"--{setting.Key}={setting.Value}")];
        var app = await DataServiceApp.BuildAsync(
            arguments,
            builder =>
            {
                builder.Services.AddSerilog(
                    logger => logger.MinimumLevel.Debug().Enrich.FromLogContext().WriteTo.Sink(logs), preserveStaticLogger: true);
                replace?.Invoke(builder.Services);
            },
            CancellationToken.None);
        try
        {
            await app.Services.GetRequiredService<DatabaseMigration>().ApplyAsync(CancellationToken.None);
            app.MapAll();
            await app.StartAsync();
            return new ServiceInProcess(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
