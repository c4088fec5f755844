using System.IO.Compression;
using System.Text;
using Microsoft.Extensions.Caching.Memory;
using Octokit.Caching;
using Octokit.Internal;

namespace DataService.GitHub;

/// <summary>
/// Remembers GitHub's last answers by address. Each one is revalidated by its ETag before it is used again, and an answer of 304
/// does not count against the limit. They are kept compressed: a page of a hundred repositories is half a megabyte, nearly all of it
/// addresses that are alike.
/// </summary>
internal sealed class ResponseCache : IResponseCache, IDisposable
{
    /// <summary>In bytes of the compressed bodies: the pages of more than ten thousand repositories.</summary>
    private const long Size = 8 * 1024 * 1024;

    private readonly MemoryCache _answers = new(new MemoryCacheOptions { SizeLimit = Size });

    public Task<CachedResponse.V1?> GetAsync(IRequest request) => Task.FromResult(_answers.Get<Kept>(Key(request))?.Unpack());

    public Task SetAsync(IRequest request, CachedResponse.V1 cachedResponse)
    {
        if (cachedResponse.Body is string body && !string.IsNullOrEmpty(cachedResponse.ApiInfo.Etag))
        {
            var kept = Kept.Pack(cachedResponse, body);
            _answers.Set(Key(request), kept, new MemoryCacheEntryOptions { Size = kept.Body.Length, SlidingExpiration = TimeSpan.FromHours(6) });
        }

        return Task.CompletedTask;
    }

    public void Dispose() => _answers.Dispose();

    private static Uri Key(IRequest request) => new(request.BaseAddress, request.Endpoint);

    /// <param name="Answer">Without its body.</param>
    /// <param name="Body">UTF-8, compressed by Brotli.</param>
    private sealed record Kept(CachedResponse.V1 Answer, byte[] Body)
    {
        public static Kept Pack(CachedResponse.V1 answer, string body)
        {
            using var packed = new MemoryStream();
            using (var brotli = new BrotliStream(packed, CompressionLevel.Fastest))
                brotli.Write(Encoding.UTF8.GetBytes(body));
            return new Kept(With(answer, ""), packed.ToArray());
        }

        public CachedResponse.V1 Unpack()
        {
            using var text = new StreamReader(new BrotliStream(new MemoryStream(Body), CompressionMode.Decompress), Encoding.UTF8);
            return With(Answer, text.ReadToEnd());
        }

        private static CachedResponse.V1 With(CachedResponse.V1 answer, string body) =>
            new(body, answer.Headers, answer.ApiInfo, answer.StatusCode, answer.ContentType);
    }
}
