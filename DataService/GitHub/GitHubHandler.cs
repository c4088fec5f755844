using System.Net.Sockets;

namespace DataService.GitHub;

/// <summary>
/// The last handler before the wire. Keeps every request on GitHub's own host, so that a paging link or a redirect cannot carry
/// the token away, and bounds the whole exchange: Octokit reads the body without a token, and a body that stalls would hang for ever,
/// as one without an end would fill the memory.
/// </summary>
internal sealed class GitHubHandler(GitHubOptions options, GitHubMetrics metrics, TimeProvider time) : DelegatingHandler
{
    /// <summary>In bytes: above a page of a hundred issues of 65,536 characters, GitHub's most, that JSON spells with six bytes each: 39 MB.</summary>
    private const long LargestAnswer = 64 * 1024 * 1024;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri is not { } address || Uri.Compare(address, options.ApiUrl, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) != 0)
            throw new HttpRequestException($"GitHub's answer led away from {options.ApiUrl.GetLeftPart(UriPartial.Authority)}; not followed.");

        var operation = GitHubMetrics.OperationOf(request.Method, options.ApiUrl.MakeRelativeUri(address).OriginalString.Split('?')[0]);
        var started = time.GetTimestamp();
        try
        {
            var response = await SendInTimeAsync(request, cancellationToken);
            metrics.Answered(operation, time.GetElapsedTime(started), response);
            return response;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException or TimeoutException or OperationCanceledException)
        {
            metrics.Failed(operation, time.GetElapsedTime(started), exception);
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendInTimeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.RequestTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        HttpResponseMessage? response = null;
        try
        {
            response = await base.SendAsync(request, both.Token);
            await response.Content.LoadIntoBufferAsync(LargestAnswer, both.Token);
            return response;
        }
        catch (OperationCanceledException exception) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            response?.Dispose();
            throw new TimeoutException($"GitHub did not answer within {options.RequestTimeout.TotalSeconds:0.#} s.", exception);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded)
        {
            response?.Dispose();
            throw new HttpRequestException(exception.HttpRequestError, $"GitHub's answer is larger than {LargestAnswer / 1024 / 1024} MB.", exception);
        }
        catch
        {
            response?.Dispose();
            throw;
        }
    }
}
