namespace DataService.Http;

internal static class HeadRequests
{
    /// <summary>
    /// Answers HEAD as GET, which is all that the endpoints know; the server leaves the body out. RFC 9110, 9.1, asks for both, and
    /// monitors and load balancers look with HEAD. The log of requests says HEAD.
    /// </summary>
    public static void UseHeadAsGet(this WebApplication app) => app.Use(async (context, next) =>
    {
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await next(context);
            return;
        }

        context.Request.Method = HttpMethods.Get;
        try
        {
            await next(context);
        }
        finally
        {
            context.Request.Method = HttpMethods.Head;
        }
    });
}
