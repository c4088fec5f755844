using DataService.Domain;

namespace DataService.Http;

/// <summary>Who is behind what happens now: the request's user, or the service itself in a job.</summary>
internal sealed class Caller(IHttpContextAccessor accessor)
{
    /// <summary>The dashboard's address, and that of all pages below it.</summary>
    public const string Dashboard = "/hangfire";

    /// <summary>How the <c>User-Agent</c> of the operators' scripts begins.</summary>
    public const string ScriptAgent = "dataservice-scripts";

    private const string Service = "service";

    /// <summary>For people.</summary>
    public string Actor => accessor.HttpContext is { } context ? context.User.Actor : Service;

    /// <summary>Null in a job.</summary>
    public string? RequestId => accessor.HttpContext?.TraceIdentifier;

    public AuditOrigin Origin => accessor.HttpContext switch
    {
        null => AuditOrigin.Service,
        { Request: var request } when IsDashboard(request) => AuditOrigin.Dashboard,
        { Request.Headers.UserAgent: var agent } when agent.ToString().StartsWith(ScriptAgent, StringComparison.Ordinal) => AuditOrigin.Script,
        _ => AuditOrigin.Rest,
    };

    /// <summary>Hangfire moves its own part of the path into the base. Routes are the same in upper and lower case.</summary>
    private static bool IsDashboard(HttpRequest request) =>
        request.Path.StartsWithSegments(Dashboard, StringComparison.OrdinalIgnoreCase)
        || request.PathBase.Value?.EndsWith(Dashboard, StringComparison.OrdinalIgnoreCase) is true;
}
