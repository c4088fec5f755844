namespace DataService.Http;

internal static class RequestIds
{
    public const string Header = "X-Request-Id";

    private const int MaxLength = 64;

    /// <summary>Gives every request an id: the caller's where it is short and printable, else a new one. It is echoed, and in every log line.</summary>
    public static void UseRequestIds(this WebApplication app) => app.Use(async (context, next) =>
    {
        var id = context.Request.Headers[Header] is [{ Length: > 0 and <= MaxLength } sent] && sent.All(letter => letter is > ' ' and <= '~')
            ? sent
            : Guid.CreateVersion7().ToString("N");
        context.TraceIdentifier = id;
        // Set when the answer starts: an error handler clears the headers that were set before.
        context.Response.OnStarting(() =>
        {
            context.Response.Headers[Header] = id;
            return Task.CompletedTask;
        });
        // A scope of the logger, not Serilog's context: the web server's own scope has a RequestId too, and only an inner scope wins over it.
        using (app.Logger.BeginScope(new Dictionary<string, object> { ["RequestId"] = id }))
            await next(context);
    });
}
