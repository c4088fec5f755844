using System.CommandLine;
using System.Transactions;
using DataService.Data;
using DataService.Domain;
using DataService.Jobs;
using Hangfire;
using Hangfire.PostgreSql;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace DataService.Benchmarks.Approvals;

/// <summary>
/// The approval as one would write it first: a tracked entity and Hangfire's own client in a TransactionScope. It writes the same rows as
/// the service, and has nothing else to do: no authentication, no log, no workers.
/// </summary>
internal static class PlainWiring
{
    public const string Name = "plain-wiring";

    /// <summary>For <see cref="ApproveCommand"/>, which runs it as a process of its own.</summary>
    public static Command Create()
    {
        var command = new Command(Name, "Serves the approval that the service's is compared with.") { Hidden = true };
        command.SetAction(async (_, cancellationToken) =>
        {
            await using var app = Build();
            await app.StartAsync(cancellationToken);
            await app.WaitForShutdownAsync(cancellationToken);
            return 0;
        });
        return command;
    }

    private static WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var dataSource = NpgsqlDataSource.Create(
            builder.Configuration.GetConnectionString("DataService") ?? throw new InvalidOperationException("No connection string."));
        builder.Services.AddDbContextPool<DataServiceDbContext>(context => context
            .UseNpgsql(dataSource, npgsql => npgsql.EnableRetryOnFailure())
            .UseSnakeCaseNamingConvention());
        var options = new PostgreSqlStorageOptions { SchemaName = DatabaseMigration.HangfireSchema, PrepareSchemaIfNecessary = false };
        builder.Services.AddHangfire(hangfire => hangfire
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings()
            .UsePostgreSqlStorage(storage => storage.UseConnectionFactory(new DataSourceConnections(dataSource)), options));

        var app = builder.Build();
        app.MapGet("/health/ready", () => "ok");
        app.MapPost("/projects/{slug}/approve", ApproveAsync);
        return app;
    }

    private static async Task<IResult> ApproveAsync(
        string slug, DataServiceDbContext db, IBackgroundJobClient jobs, CancellationToken cancellationToken)
    {
        var approved = await db.Database.CreateExecutionStrategy().ExecuteAsync(async token =>
        {
            db.ChangeTracker.Clear();
            var committed = new TransactionOptions { IsolationLevel = IsolationLevel.ReadCommitted };
            using var scope = new TransactionScope(TransactionScopeOption.Required, committed, TransactionScopeAsyncFlowOption.Enabled);
            var project = await db.Projects.AsTracking().Include(p => p.RepoCreation).SingleAsync(p => p.Slug == slug, token);
            var now = DateTime.UtcNow;
            project.Approve(now);
            var jobId = jobs.Enqueue<CreateProjectRepoJob>(job => job.RunAsync(project.Id, null!, CancellationToken.None));
            project.TrackRepoCreation(now).Enqueue(jobId, now);
            db.AuditEntries.Add(
                new AuditEntry(now, "plain", AuditOrigin.Rest, AuditAction.Approve) { ProjectId = project.Id, Slug = slug });
            await db.SaveChangesAsync(token);
            scope.Complete();
            return project;
        }, cancellationToken);
        return TypedResults.Ok(
            new { approved.Id, approved.Name, approved.Slug, approved.GithubRepo, approved.CreatedAt, approved.RepoCreation!.JobId });
    }

    private sealed class DataSourceConnections(NpgsqlDataSource dataSource) : IConnectionFactory
    {
        public NpgsqlConnection GetOrCreateConnection() => dataSource.CreateConnection();
    }
}
