using DataService.Auditing;
using DataService.ClientView;
using DataService.Data;
using DataService.Diagnosis;
using DataService.Domain;
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

using var stop = new StopSignal();
try
{
    // The settings stand beside the assembly, wherever the service is started from.
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    if (DoctorCommand.IsAsked(args))
        builder.Logging.ClearProviders();
    else
        builder.AddLogging();
    builder.AddHttp();
    builder.AddGitHub();
    builder.AddJobs();
    builder.AddTelemetry();
    builder.AddDoctor();
    await builder.AddDataAsync(stop.Token);

    await using var app = builder.Build();
    if (DoctorCommand.IsAsked(args))
        return await DoctorCommand.RunAsync(app.Services, args, stop.Token);
    await app.Services.GetRequiredService<DatabaseMigration>().ApplyAsync(stop.Token);
    if (args.Contains("--migrate-only"))
        return 0;

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

    await app.RunAsync(stop.Token);
    return 0;
}
catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
{
    // A deployment that waits for the migrations must not take them for applied: 128 + SIGTERM, as the shell would say.
    return args.Contains("--migrate-only") || DoctorCommand.IsAsked(args) ? 143 : 0;
}
// What only the person at the terminal can mend: one line says what, without a stack trace.
catch (Exception exception) when (exception is ConfigurationException or EmbeddedPostgresException)
{
    if (DoctorCommand.IsAsked(args))
        return DoctorCommand.Refuse(exception.Message, args);
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
