namespace GitHubSimulator.Api;

/// <summary>Reads the whole body, whatever it is labelled as, and notes the request down before anything is decided about it.</summary>
internal sealed class RequestReceiver(RequestDelegate next, SimulatorState state)
{
    public async Task InvokeAsync(HttpContext context)
    {
        // The control API is the test's own voice, and the root is the page for a person.
        if (context.Request.Path.StartsWithSegments("/_simulator") || context.Request.Path == "/")
        {
            await next(context);
            return;
        }

        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
        var body = buffer.ToArray();
        var received = state.Requests.Add(context.Request, body);
        context.Features.Set(new ApiCall(context, state, received, body));
        await using var left = context.RequestAborted.Register(() => received.End(state.Time.GetUtcNow()));
        try
        {
            await next(context);
        }
        finally
        {
            received.End(state.Time.GetUtcNow());
        }
    }
}
