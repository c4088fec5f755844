using System.Diagnostics.CodeAnalysis;

namespace DataService.Http;

internal static class Queries
{
    /// <summary>
    /// Maps an endpoint with optional parameters. One that does not fit is answered by the code that the framework generates with a bare 400,
    /// which does not say which; what the framework makes at the start says it.
    /// </summary>
    [SuppressMessage("Usage", "RDG002", Justification = "It is meant not to be generated.")]
    public static RouteHandlerBuilder MapQuery(this IEndpointRouteBuilder routes, string pattern, Delegate handler) => routes.MapGet(pattern, handler);
}
