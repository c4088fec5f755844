using GitHubSimulator.Api;
using GitHubSimulator.Control;
using GitHubSimulator.Pages;

namespace GitHubSimulator;

/// <summary>Builds one simulator. Every call gives an independent copy with its own state, so that tests can run side by side.</summary>
internal static class SimulatorHost
{
    public static WebApplication Create(string[] args, TimeProvider? time = null)
    {
        // The empty builder reads no appsettings.json and no ASPNETCORE_ variables: those belong to the service beside it.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration
            .AddInMemoryCollection([new("urls", "http://127.0.0.1:8789")])
            .AddEnvironmentVariables()
            .AddCommandLine(args);
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(console => console.SingleLine = true);
        builder.WebHost
            .UseKestrelCore()
            .ConfigureKestrel(kestrel => kestrel.AddServerHeader = false)
            // A write ends when the socket has it, so that half an answer has left before the connection is cut.
            .UseSockets(sockets => sockets.MaxWriteBufferSize = 1);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton<SimulatorOptions>();
        builder.Services.AddSingleton<SimulatorState>();

        var app = builder.Build();
        // Made now, so that an unreadable data file stops the start and not the first request.
        app.Services.GetRequiredService<SimulatorState>();

        app.UsePathBase("/api/v3");
        app.UseMiddleware<RequestReceiver>();
        app.UseRouting();

        app.MapControl();
        app.MapRoot();
        var api = app.MapGroup("")
            .AddEndpointFilter<AuthenticationFilter>()
            .AddEndpointFilter<LimitFilter>()
            .AddEndpointFilter<PermissionFilter>()
            .AddEndpointFilter<FaultFilter>();
        api.MapRepositories();
        api.MapIssues();
        api.MapAccounts();
        api.MapUnknown();
        return app;
    }
}
