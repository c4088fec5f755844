using DataService.Auditing;
using DataService.ClientView;
using DataService.Data;
using DataService.Diagnosis;
using DataService.GitHub;
using DataService.GitHubSync;
using DataService.Http;
using DataService.Jobs;
using DataService.Jobs.Dashboard;
using DataService.Messages;
using DataService.Projects;
using DataService.RepoCreations;
using DataService.Specs;
using DataService.Tasks;
using DataService.Telemetry;

namespace DataService;

/// <summary>What the service is made of.</summary>
internal static class DataServiceApp
{
    /// <summary>Builds the service, which serves nothing yet.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="change">Changes what it is made of.</param>
    /// <param name="cancellationToken">Gives up looking for a database.</param>
    /// <exception cref="Domain.ConfigurationException">A setting does not fit.</exception>
    /// <exception cref="EmbeddedPostgresException">The embedded PostgreSQL cannot be used.</exception>
    public static async Task<WebApplication> BuildAsync(string[] args, Action<WebApplicationBuilder>? change, CancellationToken cancellationToken)
    {
        // The settings stand beside the assembly, wherever the service is started from.
        // Slim: IIS and QUIC, which the other builder loads, serve nothing here.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelHttpsConfiguration();
        if (DoctorCommand.IsAsked(args))
            builder.Logging.ClearProviders();
        else
            builder.AddLogging();
        builder.AddHttp();
        builder.AddGitHub();
        builder.AddJobs();
        builder.AddProjects();
        builder.AddTelemetry();
        builder.AddDoctor();
        await builder.AddDataAsync(cancellationToken);
        change?.Invoke(builder);
        return builder.Build();
    }

    /// <summary>Gives it all that it serves.</summary>
    public static void MapAll(this WebApplication app)
    {
        app.UseHttp();
        app.MapHealth();
        app.MapMetrics();
        app.MapApiDescription();
        app.MapProjects();
        app.MapSpecs();
        app.MapTasks();
        app.MapMessages();
        app.MapClientView();
        app.MapRepoCreations();
        app.MapGitHubSync();
        app.MapAudit();
        app.MapDoctor();
        app.MapDashboard();
    }
}
