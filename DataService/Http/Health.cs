using DataService.Data;
using Npgsql;

namespace DataService.Http;

internal sealed record LiveResponse(string Status, DateTime Time) : IWithExample
{
    static object IWithExample.Example => new LiveResponse("ok", new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc));
}

internal sealed record ReadyResponse(string Status, string Env, string Service, DateTime Time, string Database) : IWithExample
{
    static object IWithExample.Example =>
        new ReadyResponse("ok", "Production", "DataService", new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc), "connected");
}

internal static partial class Health
{
    /// <summary>A probe that waits longer has its answer: the database does not serve.</summary>
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        var health = app.MapGroup("/health").WithTags("Health").AllowAnonymous().DisableHttpMetrics();
        health.MapGet("/live", Live).WithName("isLive").WithSummary("Whether the process answers");
        health.MapGet("/ready", ReadyAsync).WithName("isReady").WithSummary("Whether the service can do its work")
            .Produces<ReadyResponse>().Produces<ReadyResponse>(StatusCodes.Status503ServiceUnavailable);
    }

    private static LiveResponse Live(TimeProvider time) => new("ok", time.UtcNow);

    private static async Task<IResult> ReadyAsync(
        NpgsqlDataSource dataSource, IHostEnvironment environment, TimeProvider time, ILogger<ReadyResponse> logger, CancellationToken cancellationToken)
    {
        var connected = await ProbeAsync(dataSource, time, logger, cancellationToken);
        var response = new ReadyResponse(
            connected ? "ok" : "degraded", environment.EnvironmentName, "DataService", time.UtcNow, connected ? "connected" : "disconnected");
        return connected ? TypedResults.Ok(response) : TypedResults.Json(response, statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static async Task<bool> ProbeAsync(NpgsqlDataSource dataSource, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(ProbeTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            await using var command = dataSource.CreateCommand("SELECT 1");
            await command.ExecuteNonQueryAsync(both.Token);
            return true;
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            LogDisconnected(logger, exception.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not answer: {Reason}")]
    private static partial void LogDisconnected(ILogger logger, string reason);
}
