using System.Security.Claims;
using DataService.Http;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace DataService.Jobs.Dashboard;

/// <summary>What the dashboard's cookie says: who signed in, in which role, and what that rests on.</summary>
internal static class DashboardSession
{
    /// <summary>The fingerprint of the token.</summary>
    private const string GroundClaim = "ground";

    /// <param name="actor">Who signed in, for people.</param>
    /// <param name="role">One of <see cref="Roles"/>.</param>
    /// <param name="ground">What the session rests on.</param>
    public static ClaimsPrincipal Of(string actor, string role, string ground) => new(new ClaimsIdentity(
        [new Claim(ClaimTypes.Name, actor), new Claim(ClaimTypes.Role, role), new Claim(GroundClaim, ground)],
        CookieAuthenticationDefaults.AuthenticationScheme));

    /// <summary>Ends a session whose token is no longer configured, or no longer for its role.</summary>
    public static Task EndWithItsGroundAsync(CookieValidatePrincipalContext context)
    {
        var tokens = context.HttpContext.RequestServices.GetRequiredService<ApiTokens>();
        var (ground, role) = (context.Principal?.FindFirstValue(GroundClaim), context.Principal?.FindFirstValue(ClaimTypes.Role));
        if (ground is null || role is null || !tokens.Grants(ground, role))
            context.RejectPrincipal();
        return Task.CompletedTask;
    }
}
