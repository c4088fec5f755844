using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using Scalar.AspNetCore;

namespace DataService.Http;

/// <summary>
/// The API's description. In Development it is made anew and shows what has just been changed; elsewhere the one that a test has accepted
/// is served, and nothing that makes it is set up.
/// </summary>
internal static class OpenApi
{
    /// <summary>The accepted document, in the assembly.</summary>
    private const string Accepted = "openapi.v1.json";

    private const string ContentType = "application/json;charset=utf-8";

    /// <summary>All but scripts, which bear a nonce. The page styles its elements one by one.</summary>
    private const string PagePolicy =
        "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static void AddApiDescription(this WebApplicationBuilder builder)
    {
        if (builder.Environment.IsDevelopment())
            OpenApiGenerator.Add(builder.Services);
    }

    /// <summary>Serves the document at <c>/openapi/v1.json</c> and a page for people at <c>/openapi</c>, to everyone.</summary>
    public static void MapApiDescription(this WebApplication app)
    {
        if (app.Environment.IsDevelopment())
            OpenApiGenerator.Map(app);
        else
            app.MapGet("/openapi/v1.json", ShowAccepted).AllowAnonymous();
        app.MapScalarApiReference("/openapi", (page, context) =>
        {
            var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
            context.Response.Headers.ContentSecurityPolicy = $"script-src 'self' 'nonce-{nonce}'; {PagePolicy}";
            page.WithTitle("DataService API").WithOpenApiRoutePattern("/openapi/{documentName}.json").WithNonce(nonce)
                .DisableDefaultFonts().DisableTelemetry().DisableAgent().DisableMcp().HideDeveloperTools();
        }).AllowAnonymous();
    }

    private static FileStreamHttpResult ShowAccepted() => TypedResults.Stream(typeof(OpenApi).Assembly.GetManifestResourceStream(Accepted)!, ContentType);
}
