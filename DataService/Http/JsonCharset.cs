using System.Text;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace DataService.Http;

internal static class JsonCharset
{
    /// <summary>
    /// JSON is UTF-8 (RFC 8259). A body that claims another charset answers 415; the framework would try to convert it, and throw
    /// where it does not know the name.
    /// </summary>
    public static void UseJsonCharset(this WebApplication app) => app.Use((context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<IAcceptsMetadata>() is null
            || !MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type)
            || !type.Charset.HasValue)
            return next(context);
        if (HeaderUtilities.RemoveQuotes(type.Charset).Equals(Encoding.UTF8.WebName, StringComparison.OrdinalIgnoreCase))
        {
            // The framework does not know the name in quotes.
            type.Charset = Encoding.UTF8.WebName;
            context.Request.ContentType = type.ToString();
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
        return Task.CompletedTask;
    });
}
