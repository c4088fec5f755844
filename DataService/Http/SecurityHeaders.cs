using Microsoft.Net.Http.Headers;

namespace DataService.Http;

internal static class SecurityHeaders
{
    private const string NothingAtAll = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>One year. Subdomains are not ours to speak for.</summary>
    private const string StrictTransport = "max-age=31536000";

    /// <summary>What a page may load, instead of nothing at all.</summary>
    public static TBuilder WithContentSecurityPolicy<TBuilder>(this TBuilder builder, string policy) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ContentSecurityPolicy(policy));

    /// <summary>
    /// Every answer forbids sniffing, referrers, frames and, unless its endpoint or itself says otherwise, content of any other origin
    /// and storing. Outside Development, an answer over https keeps the browser there.
    /// </summary>
    public static void UseSecurityHeaders(this WebApplication app)
    {
        var strict = !app.Environment.IsDevelopment();
        app.Use((context, next) =>
        {
            // Set when the answer starts: an error handler clears the headers that were set before.
            context.Response.OnStarting(() =>
            {
                var headers = context.Response.Headers;
                headers.XContentTypeOptions = "nosniff";
                headers["Referrer-Policy"] = "no-referrer";
                var policy = context.GetEndpoint()?.Metadata.GetMetadata<ContentSecurityPolicy>()?.Value ?? NothingAtAll;
                headers.TryAdd(HeaderNames.ContentSecurityPolicy, policy);
                headers.TryAdd(HeaderNames.CacheControl, "no-store");
                if (strict && context.Request.IsHttps)
                    headers.StrictTransportSecurity = StrictTransport;
                return Task.CompletedTask;
            });
            return next(context);
        });
    }

    private sealed record ContentSecurityPolicy(string Value);
}
