using Microsoft.Extensions.Caching.Memory;
using Octokit.Caching;
using Octokit.Internal;

namespace DataService.GitHub;

/// <summary>
/// Remembers GitHub's last answers by address. Each one is revalidated by its ETag before it is used again, and an answer of 304
/// does not count against the limit.
/// </summary>
internal sealed class ResponseCache : IResponseCache, IDisposable
{
    /// <summary>In characters of the bodies.</summary>
    private const long Size = 32 * 1024 * 1024;

    private readonly MemoryCache _answers = new(new MemoryCacheOptions { SizeLimit = Size });

    public Task<CachedResponse.V1?> GetAsync(IRequest request) => Task.FromResult(_answers.Get<CachedResponse.V1>(Key(request)));

    public Task SetAsync(IRequest request, CachedResponse.V1 cachedResponse)
    {
        if (cachedResponse.Body is string body && !string.IsNullOrEmpty(cachedResponse.ApiInfo.Etag))
            _answers.Set(Key(request), cachedResponse, new MemoryCacheEntryOptions { Size = body.Length, SlidingExpiration = TimeSpan.FromHours(6) });
        return Task.CompletedTask;
    }

    public void Dispose() => _answers.Dispose();

    private static Uri Key(IRequest request) => new(request.BaseAddress, request.Endpoint);
}
