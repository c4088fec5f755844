using System.Diagnostics;
using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Data;

internal static class DataSetup
{
    /// <summary>The key of a second <see cref="NpgsqlDataSource"/>, see <see cref="DataOptions.ForSingleStatements"/>.</summary>
    public const string SingleStatements = "single statements";

    /// <summary>The key of a third one, see <see cref="DataOptions.ForProjectLocks"/>.</summary>
    public const string ProjectLocks = "project locks";

    /// <summary>Holds what the embedded PostgreSQL needs between starts; set by scripts/run.</summary>
    private const string LocalFolderVariable = "DATASERVICE_LOCAL_FOLDER";

    /// <summary>Stands in traces, which else bear most of the connection string.</summary>
    private const string DataSourceName = "DataService";

    /// <summary>Adds the database. In Development, with none configured, starts the embedded PostgreSQL first.</summary>
    /// <exception cref="ConfigurationException">No usable connection string.</exception>
    public static async Task AddDataAsync(this WebApplicationBuilder builder, CancellationToken cancellationToken)
    {
        var connectionString = builder.Configuration.GetConnectionString("DataService");
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            if (!builder.Environment.IsDevelopment())
                throw new ConfigurationException(DataOptions.Variable, "is not set; expected Host=...;Database=...;Username=...;Password=...");
            var embedded = await EmbeddedPostgres.StartAsync(Path.Combine(LocalFolder(builder.Configuration), "postgres"), cancellationToken: cancellationToken);
            builder.Services.AddSingleton(_ => embedded);
            connectionString = embedded.ConnectionString;
        }

        builder.AddData(DataOptions.From(connectionString));
    }

    private static void AddData(this WebApplicationBuilder builder, DataOptions options)
    {
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services => Source(services, options.ConnectionString, DataSourceName));
        builder.Services.AddKeyedSingleton(
            SingleStatements, (services, _) => Source(services, options.ForSingleStatements, $"{DataSourceName} single statements", DataOptions.LookUpByKeys));
        builder.Services.AddKeyedSingleton(ProjectLocks, (services, _) => Source(services, options.ForProjectLocks, $"{DataSourceName} project locks"));
        builder.Services.AddDbContextPool<DataServiceDbContext>((services, context) => context
            .UseNpgsql(services.GetRequiredService<NpgsqlDataSource>(), npgsql => npgsql.EnableRetryOnFailure(3, TimeSpan.FromSeconds(2), null))
            .UseSnakeCaseNamingConvention());
        builder.Services.AddSingleton<DatabaseMigration>();
    }

    /// <param name="services">The container.</param>
    /// <param name="connectionString">Holds the password.</param>
    /// <param name="name">For traces.</param>
    /// <param name="firstStatement">Of each connection; null for none.</param>
    private static NpgsqlDataSource Source(IServiceProvider services, string connectionString, string name, string? firstStatement = null)
    {
        // The container disposes in reverse order: the embedded server is made before, and so stops after, all that talks to it.
        _ = services.GetService<EmbeddedPostgres>();
        var builder = new NpgsqlDataSourceBuilder(connectionString) { Name = name };
        if (firstStatement is not null)
            builder.UsePhysicalConnectionInitializer(Begin, BeginAsync);
        return builder.UseLoggerFactory(services.GetRequiredService<ILoggerFactory>())
            .ConfigureTracing(tracing => tracing
                // Hangfire asks for work all the time: only what belongs to a request or a job makes a trace.
                .ConfigureCommandFilter(_ => Activity.Current is not null)
                .ConfigureBatchFilter(_ => Activity.Current is not null)
                .ConfigureCopyOperationFilter(_ => Activity.Current is not null)
                .EnablePhysicalOpenTracing(false))
            .Build();

        void Begin(NpgsqlConnection connection)
        {
            using var command = new NpgsqlCommand(firstStatement, connection);
            command.ExecuteNonQuery();
        }

        async Task BeginAsync(NpgsqlConnection connection)
        {
            await using var command = new NpgsqlCommand(firstStatement, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    private static string LocalFolder(ConfigurationManager configuration)
    {
        if (configuration[LocalFolderVariable] is { Length: > 0 } configured)
            return configured;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "DataService.sln")))
                return Path.Combine(folder.FullName, ".local");
        }

        return Path.Combine(Environment.CurrentDirectory, ".local");
    }
}
