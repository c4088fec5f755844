using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace GitHubSimulator.Api;

/// <summary>An answer that is ready but not yet sent, so that a fault can still spoil it.</summary>
internal sealed class GitHubAnswer(int status, string? contentType, byte[] body) : IResult
{
    private static readonly JsonSerializerOptions Snake = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = null,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Dictionary<string, string> _headers = new(StringComparer.OrdinalIgnoreCase);

    public int Status => status;

    public ReadOnlyMemory<byte> Body => body;

    public static GitHubAnswer Json(int status, object value) =>
        new(status, "application/json; charset=utf-8", JsonSerializer.SerializeToUtf8Bytes(value, Snake));

    public static GitHubAnswer Text(int status, string contentType, string text) => new(status, contentType, Encoding.UTF8.GetBytes(text));

    public static GitHubAnswer NoContent() => new(StatusCodes.Status204NoContent, null, []);

    public GitHubAnswer With(string header, string? value)
    {
        if (value is not null)
            _headers[header] = value;
        return this;
    }

    /// <summary>A header that the answer does not have yet.</summary>
    public GitHubAnswer WithDefault(string header, string value)
    {
        _headers.TryAdd(header, value);
        return this;
    }

    /// <summary>The same status and headers, another body.</summary>
    public GitHubAnswer WithBody(ReadOnlySpan<byte> other, string? otherType = null)
    {
        var answer = new GitHubAnswer(status, otherType ?? contentType, other.ToArray());
        foreach (var (name, value) in _headers)
            answer.With(name, value);
        return answer;
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        if (Revalidates(httpContext))
            return;

        await StartAsync(httpContext);
        // Also an empty write is an error in an answer that cannot have a body.
        if (body.Length > 0)
            await httpContext.Response.Body.WriteAsync(Body, CancellationToken.None);
    }

    /// <summary>Sends the headers alone. Nothing is cancelled when the client has left: the server drops what nobody reads.</summary>
    /// <param name="context">The call's.</param>
    /// <param name="hasLength">Whether they tell how long the body is.</param>
    public async Task StartAsync(HttpContext context, bool hasLength = true)
    {
        WriteHead(context, status);
        context.Response.ContentType = contentType;
        if (hasLength && status is not (StatusCodes.Status204NoContent or StatusCodes.Status304NotModified))
            context.Response.ContentLength = body.Length;
        await context.Response.StartAsync(CancellationToken.None);
    }

    private bool Revalidates(HttpContext context)
    {
        var call = ApiCall.Of(context);
        if (!call.IsGet || status != StatusCodes.Status200OK)
            return false;

        // The Link header does not count: a full page stays the same when another one comes after it.
        var tag = $"W/\"{Convert.ToHexStringLower(SHA256.HashData(body))}\"";
        With(HeaderNames.ETag, tag).With(HeaderNames.CacheControl, "private, max-age=60, s-maxage=60");
        var present = EntityTagHeaderValue.Parse(tag);
        if (!context.Request.GetTypedHeaders().IfNoneMatch
            .Any(known => known == EntityTagHeaderValue.Any || known.Compare(present, useStrongComparison: false)))
            return false;

        call.State.PrimaryLimit.GiveBack();
        WriteHead(context, StatusCodes.Status304NotModified);
        return true;
    }

    private void WriteHead(HttpContext context, int sent)
    {
        var call = ApiCall.Of(context);
        var usage = call.State.PrimaryLimit.Usage;
        var headers = context.Response.Headers;
        call.Received.Status = sent;
        context.Response.StatusCode = sent;
        headers["X-GitHub-Request-Id"] = Convert.ToHexString(RandomNumberGenerator.GetBytes(10));
        headers["X-GitHub-Media-Type"] = "github.v3; format=json";
        headers["x-github-api-version-selected"] = "2022-11-28";
        headers["x-ratelimit-limit"] = Number(usage.Limit);
        headers["x-ratelimit-remaining"] = Number(usage.Remaining);
        headers["x-ratelimit-used"] = Number(usage.Used);
        headers["x-ratelimit-reset"] = Number(usage.Reset.ToUnixTimeSeconds());
        headers["x-ratelimit-resource"] = "core";
        if (call.State.Token.Expires is { } expires)
            headers["github-authentication-token-expiration"] = expires.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
        foreach (var (name, value) in _headers)
            headers[name] = value;
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
