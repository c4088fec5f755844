using System.Net.Http.Headers;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace DataService.Http;

/// <summary><c>Authorization: Bearer &lt;API_TOKEN&gt;</c> (RFC 6750); a VIEWER_TOKEN gives the lesser role.</summary>
internal sealed class BearerAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    ApiTokens tokens,
    IProblemDetailsService problems) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Bearer";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!AuthenticationHeaderValue.TryParse(Request.Headers.Authorization, out var header)
            || !header.Scheme.Equals(SchemeName, StringComparison.OrdinalIgnoreCase))
            return Task.FromResult(AuthenticateResult.NoResult());
        if (header.Parameter is not { } token || tokens.RoleOf(token) is not { } role)
            return Task.FromResult(AuthenticateResult.Fail("The token is not one of ours."));
        Claim[] claims = [new(ClaimTypes.Name, ApiTokens.ActorOf(role)), new(ClaimTypes.Role, role)];
        var identity = new ClaimsIdentity(claims, SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = SchemeName;
        return RefuseAsync(ErrorCode.Unauthorized, "Send the header Authorization: Bearer <API_TOKEN> with a valid token.");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = $"{SchemeName} error=\"insufficient_scope\"";
        return RefuseAsync(ErrorCode.Forbidden, Problems.ViewersOnlyLook);
    }

    private async Task RefuseAsync(string code, string detail)
    {
        Response.StatusCode = ErrorCode.Status(code);
        await problems.WriteAsync(new ProblemDetailsContext { HttpContext = Context, ProblemDetails = Problems.Details(code, detail) });
    }
}
