using System.Security.Claims;
using DataService.Http;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace DataService.Jobs.Dashboard;

/// <summary>What the dashboard's cookie says: who signed in, in which role, and what that rests on.</summary>
internal static class DashboardSession
{
    /// <summary>The fingerprint of the token, or of the OpenID provider's settings.</summary>
    private const string GroundClaim = "ground";

    /// <param name="actor">Who signed in, for people.</param>
    /// <param name="role">One of <see cref="Roles"/>.</param>
    /// <param name="ground">What the session rests on.</param>
    /// <param name="subject">The provider's own name for the person, which never changes; null for a token.</param>
    public static ClaimsPrincipal Of(string actor, string role, string ground, string? subject = null) => new(new ClaimsIdentity(
        [
            new Claim(ClaimTypes.Name, actor), new Claim(ClaimTypes.Role, role), new Claim(GroundClaim, ground),
            .. subject is null ? (Claim[])[] : [new Claim(ClaimTypes.NameIdentifier, subject)],
        ],
        CookieAuthenticationDefaults.AuthenticationScheme));

    /// <summary>Ends a session whose token, or OpenID provider, is no longer configured as it was, or no longer for its role.</summary>
    public static Task EndWithItsGroundAsync(CookieValidatePrincipalContext context)
    {
        var services = context.HttpContext.RequestServices;
        var (ground, role) = (context.Principal?.FindFirstValue(GroundClaim), context.Principal?.FindFirstValue(ClaimTypes.Role));
        var stands = ground is not null && role is not null && (services.GetService<OidcOptions>() is { } oidc
            ? ground == oidc.Fingerprint
            : services.GetRequiredService<ApiTokens>().Grants(ground, role));
        if (!stands)
            context.RejectPrincipal();
        return Task.CompletedTask;
    }
}
