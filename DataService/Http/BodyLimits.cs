using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;

namespace DataService.Http;

/// <summary>How many bytes of a body the service reads. What is larger answers 413, announced or not.</summary>
internal static class BodyLimits
{
    public const long Mebibyte = 1024 * 1024;

    /// <summary>For all endpoints without a limit of their own.</summary>
    public const long Default = Mebibyte;

    /// <param name="builder">The endpoints.</param>
    /// <param name="bytes">Instead of <see cref="Default"/>.</param>
    public static TBuilder WithBodyLimit<TBuilder>(this TBuilder builder, long bytes) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new BodyLimit(bytes));

    /// <summary>
    /// Refuses what is announced as too large. The web server would refuse it too, but would close the connection under a caller who
    /// still sends, and who then sees no answer; it reads away what a finished answer left unread, for some seconds, where no limit is set.
    /// </summary>
    public static void UseBodyLimits(this WebApplication app) => app.Use((context, next) =>
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is not { IsReadOnly: false } limit || !(context.Request.ContentLength > limit.MaxRequestBodySize))
            return next(context);
        limit.MaxRequestBodySize = null;
        context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
        return Task.CompletedTask;
    });

    private sealed record BodyLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
}
