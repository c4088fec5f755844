using Serilog.Context;

namespace DataService.Http;

internal static class RequestIds
{
    public const string Header = "X-Request-Id";

    private const int MaxLength = 64;

    /// <summary>Gives every request an id: the caller's where it is short and printable, else a new one. It is echoed, and in every log line.</summary>
    public static void UseRequestIds(this IApplicationBuilder app) => app.Use(async (context, next) =>
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
        using (LogContext.PushProperty("RequestId", id))
            await next(context);
    });
}
