using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using DataService.Http;
using DataService.Jobs;
using DataService.Jobs.Dashboard;
using DataService.Projects;
using DataService.RepoCreations;
using DataService.Specs;

try
{
    // The settings stand beside the assembly, wherever the service is started from.
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
    builder.AddLogging();
    builder.AddHttp();
    builder.AddGitHub();
    builder.AddJobs();
    await builder.AddDataAsync();

    await using var app = builder.Build();
    await app.Services.GetRequiredService<DatabaseMigration>().ApplyAsync(app.Lifetime.ApplicationStopping);
    if (args.Contains("--migrate-only"))
        return 0;

    app.UseHttp();
    app.MapHealth();
    app.MapApiDescription();
    app.MapProjects();
    app.MapSpecs();
    app.MapRepoCreations();
    app.MapDashboard();

    await app.RunAsync();
    return 0;
}
// What only the person at the terminal can mend: one line says what, without a stack trace.
catch (Exception exception) when (exception is ConfigurationException or EmbeddedPostgresException)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return 1;
}
