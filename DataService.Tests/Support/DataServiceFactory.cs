using DataService.Data;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Serilog;

namespace DataService.Tests.Support;

/// <summary>
/// The service as its Program builds it, in this process, on a real socket. The type argument only points at the assembly: its
/// Program shares its name with the simulator's.
/// </summary>
internal sealed class DataServiceFactory : WebApplicationFactory<DataServiceDbContext>
{
    private readonly Dictionary<string, string?> _settings;
    private readonly LogCapture _logs;
    private readonly Action<IServiceCollection>? _replace;

    public DataServiceFactory(Dictionary<string, string?> settings, LogCapture logs, Action<IServiceCollection>? replace = null)
    {
        (_settings, _logs, _replace) = (settings, logs, replace);
        UseKestrel();
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment(_settings.GetValueOrDefault("environment") ?? "Development");
        builder.UseSetting("urls", "http://127.0.0.1:0");
        foreach (var (name, value) in _settings)
            builder.UseSetting(name, value);
        builder.ConfigureTestServices(services =>
        {
            services.AddSerilog(logger => logger.MinimumLevel.Debug().Enrich.FromLogContext().WriteTo.Sink(_logs), preserveStaticLogger: true);
            _replace?.Invoke(services);
        });
    }
}
