using Octokit;
using Octokit.Internal;

namespace DataService.GitHub;

/// <summary>
/// Turns off Octokit's own time limit: it is a timer of 100 s for each request, which is never stopped and holds on to the request's
/// cancellation, and so to all that the caller's hangs on. <see cref="GitHubHandler"/> limits the whole exchange.
/// </summary>
internal sealed class UntimedHttpClient(IHttpClient inner) : IHttpClient
{
    public Task<IResponse> Send(IRequest request, CancellationToken cancellationToken, Func<object, object>? preprocessResponseBody = null)
    {
        if (request is Request own)
            own.Timeout = TimeSpan.Zero;
        return inner.Send(request, cancellationToken, preprocessResponseBody);
    }

    public void SetRequestTimeout(TimeSpan timeout) => inner.SetRequestTimeout(timeout);

    public void Dispose() => inner.Dispose();
}
