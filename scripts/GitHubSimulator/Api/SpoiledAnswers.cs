using System.Net.Sockets;
using GitHubSimulator.Faults;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace GitHubSimulator.Api;

internal sealed class DroppedConnection : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Abort();
        return Task.CompletedTask;
    }
}

/// <summary>The headers announce the whole body, half of it comes, and no more until the client leaves or the fault is removed.</summary>
internal sealed class HalfAnswer(GitHubAnswer answer, Fault fault, CancellationToken stopping) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await answer.StartAsync(httpContext);
        await httpContext.Response.Body.WriteAsync(answer.Body[..(answer.Body.Length / 2)], CancellationToken.None);
        await httpContext.Response.Body.FlushAsync(CancellationToken.None);
        // Abort resets the connection, and a reset takes from the client what it has not read yet: a cut must be an orderly end.
        if (fault.Rule.Kind is FaultKind.CutBody)
            httpContext.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket.Shutdown(SocketShutdown.Send);
        await fault.IsRemovedBeforeAsync(httpContext.RequestAborted, stopping);
        httpContext.Abort();
    }
}

/// <summary>Blanks, which JSON may begin with, for as long as anybody reads them.</summary>
internal sealed class EndlessAnswer(GitHubAnswer answer, Fault fault, CancellationToken stopping) : IResult
{
    private static readonly byte[] Blanks = [.. Enumerable.Repeat((byte)' ', 64 * 1024)];

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        await answer.StartAsync(httpContext, hasLength: false);
        while (!fault.IsRemoved && !stopping.IsCancellationRequested && !httpContext.RequestAborted.IsCancellationRequested)
            await httpContext.Response.Body.WriteAsync(Blanks, CancellationToken.None);
        httpContext.Abort();
    }
}
