using System.Security.Claims;
using System.Text;
using DataService.Http;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace DataService.Jobs.Dashboard;

/// <summary>Signs people in to the dashboard, and out again, at an OpenID provider: code flow with PKCE.</summary>
internal static partial class OidcLogin
{
    private const string Scheme = OpenIdConnectDefaults.AuthenticationScheme;

    private const string StartPath = "/login/start";

    /// <summary>Asks the provider for another person than the one that it remembers.</summary>
    private const string SomebodyElse = "somebody-else";

    /// <summary>More of a name than fits a page or a log is cut off.</summary>
    private const int LongestName = 100;

    private static readonly TimeSpan ProviderTimeout = TimeSpan.FromSeconds(10);

    private static readonly string ProviderPage = SessionPages.Asset("provider.html");

    public static void AddOidcLogin(this AuthenticationBuilder authentication, OidcOptions oidc, CookieSecurePolicy secure) =>
        authentication.AddOpenIdConnect(options =>
        {
            options.Authority = oidc.Authority.ToString();
            options.ClientId = oidc.ClientId;
            options.ClientSecret = oidc.ClientSecret;
            // Development alone lets an http address come this far.
            options.RequireHttpsMetadata = oidc.Authority.Scheme == Uri.UriSchemeHttps;
            options.SignInScheme = CookieAuthenticationDefaults.AuthenticationScheme;
            options.CallbackPath = DashboardSetup.Path + "/signin-oidc";
            options.SignedOutCallbackPath = DashboardSetup.Path + "/signout-callback-oidc";
            // Called in a frame of the provider's page, where the session's cookie is not sent.
            options.RemoteSignOutPath = PathString.Empty;
            options.ResponseType = OpenIdConnectResponseType.Code;
            // The way back is a GET, with which browsers send Lax cookies; a form would need cookies that every other site can use.
            options.ResponseMode = OpenIdConnectResponseMode.Query;
            options.CorrelationCookie.SameSite = options.NonceCookie.SameSite = SameSiteMode.Lax;
            options.CorrelationCookie.SecurePolicy = options.NonceCookie.SecurePolicy = secure;
            options.MapInboundClaims = false;
            options.DisableTelemetry = true;
            options.BackchannelTimeout = ProviderTimeout;
            options.Events = new OpenIdConnectEvents
            {
                OnTokenValidated = KeepIdToken,
                OnTicketReceived = context => AdmitAsync(context, oidc),
                OnRemoteFailure = context => RefuseAsync(context, oidc),
            };
        });

    public static void MapOidcLogin(this RouteGroupBuilder dashboard)
    {
        dashboard.MapGet("/login", (HttpContext context, OidcOptions oidc) =>
            Page(context, StatusCodes.Status200OK, $"You sign in with your account at {oidc.Authority.Host}.")).AllowAnonymous();
        dashboard.MapGet(StartPath, StartAsync).AllowAnonymous().RequireRateLimiting(RateLimits.Login);
    }

    /// <summary>Signs out at the provider, after the dashboard's own session has ended.</summary>
    /// <returns>A page that leads on to the provider; null where it has no session that could be ended from here.</returns>
    public static async Task<IResult?> SignOutAsync(HttpContext context, OidcOptions oidc)
    {
        try
        {
            var options = context.RequestServices.GetRequiredService<IOptionsMonitor<OpenIdConnectOptions>>().Get(Scheme);
            if (options.ConfigurationManager is not { } provider
                || (await provider.GetConfigurationAsync(context.RequestAborted)).EndSessionEndpoint is not { Length: > 0 })
                return null;
            await context.SignOutAsync(Scheme, new() { RedirectUri = context.Request.PathBase + DashboardLogin.LoginPath });
        }
        catch (Exception exception) when (IsOfTheProvider(exception, context))
        {
            LogUnavailable(Logger(context), oidc.Authority, exception);
            return null;
        }

        // The form's policy would have the browser refuse a redirect to another site, and whichever that one redirects to.
        var headers = context.Response.Headers;
        headers["Refresh"] = $"0; url={headers.Location}";
        headers.Remove("Location");
        return Page(
            context, StatusCodes.Status200OK, $"You are signed out here. Signing you out at {oidc.Authority.Host} …", "Sign in again");
    }

    private static async Task<IResult> StartAsync(HttpContext context, OidcOptions oidc)
    {
        var properties = new AuthenticationProperties
        {
            RedirectUri = SessionPages.LocalReturnUrl(context) ?? context.Request.PathBase + DashboardSetup.Path,
        };
        if (context.Request.Query.ContainsKey(SomebodyElse))
            properties.SetParameter(OpenIdConnectParameterNames.Prompt, OpenIdConnectPrompt.Login);
        try
        {
            await context.ChallengeAsync(Scheme, properties);
            return TypedResults.Empty;
        }
        catch (Exception exception) when (IsOfTheProvider(exception, context))
        {
            LogUnavailable(Logger(context), oidc.Authority, exception);
            return Unavailable(context, oidc);
        }
    }

    /// <summary>For signing out. The other tokens open what is none of our business.</summary>
    private static Task KeepIdToken(TokenValidatedContext context)
    {
        if (context is { Properties: { } properties, TokenEndpointResponse.IdToken: { } idToken })
            properties.StoreTokens([new AuthenticationToken { Name = OpenIdConnectParameterNames.IdToken, Value = idToken }]);
        return Task.CompletedTask;
    }

    /// <summary>Makes the session of what counts here: the name and the role. One who has none stays outside, and is told.</summary>
    private static async Task AdmitAsync(TicketReceivedContext context, OidcOptions oidc)
    {
        var user = context.Principal ?? new ClaimsPrincipal();
        var (name, subject) = (NameOf(user), user.FindFirstValue("sub"));
        if (oidc.RoleOf(user) is { } role)
        {
            context.Principal = DashboardSession.Of(name, role, oidc.Fingerprint, subject);
            return;
        }

        LogNoRole(Logger(context.HttpContext), name, oidc.RoleClaim);
        context.HandleResponse();
        await Page(
            context.HttpContext, StatusCodes.Status403Forbidden,
            $"You are signed in as {name}, but have no role here. Whoever runs {oidc.Authority.Host} can give you one: "
            + $"{oidc.ViewerRole} to look, {oidc.OperatorRole} to act.",
            "Sign in as somebody else", query: $"?{SomebodyElse}").ExecuteAsync(context.HttpContext);
    }

    private static async Task RefuseAsync(RemoteFailureContext context, OidcOptions oidc)
    {
        LogFailed(Logger(context.HttpContext), context.Failure?.Message);
        context.HandleResponse();
        var page = context.Failure is { } failure && IsOfTheProvider(failure, context.HttpContext)
            ? Unavailable(context.HttpContext, oidc)
            : Page(
                context.HttpContext, StatusCodes.Status400BadRequest,
                "Signing in did not work: it was cancelled or refused, took too long, or did not start here.", "Try again");
        await page.ExecuteAsync(context.HttpContext);
    }

    /// <summary>
    /// Whether it does not answer, or not as an OpenID provider does. Why its document could not be read, the framework wraps.
    /// </summary>
    private static bool IsOfTheProvider(Exception exception, HttpContext context) =>
        exception is HttpRequestException or InvalidOperationException or OpenIdConnectProtocolException { InnerException: not null }
        || exception is OperationCanceledException && !context.RequestAborted.IsCancellationRequested;

    private static ContentHttpResult Unavailable(HttpContext context, OidcOptions oidc) => Page(
        context, StatusCodes.Status502BadGateway,
        $"{oidc.Authority.Host} cannot sign you in at the moment. Try again in a minute.", "Try again");

    private static ContentHttpResult Page(HttpContext context, int status, string text, string action = "Sign in", string? query = null)
    {
        // The way back from the provider belongs to no endpoint that could say so.
        context.Response.Headers.ContentSecurityPolicy = SessionPages.ContentSecurityPolicy;
        return SessionPages.Page(
            context, ProviderPage, status,
            ("text", text), ("live", status is StatusCodes.Status200OK ? "status" : "alert"),
            ("action", action), ("query", query ?? SessionPages.Query(context)));
    }

    /// <summary>Such as "Ada Lovelace (ada@example.com)": names alone are not unique, and people choose them.</summary>
    private static string NameOf(ClaimsPrincipal user)
    {
        var name = user.FindFirstValue("name");
        var account = user.FindFirstValue("preferred_username") ?? user.FindFirstValue("email");
        var text = (name, account) switch
        {
            ({ Length: > 0 }, { Length: > 0 }) when name != account => $"{name} ({account})",
            ({ Length: > 0 }, _) => name,
            (_, { Length: > 0 }) => account,
            _ => user.FindFirstValue("sub") ?? "",
        };
        return string.Concat(text.EnumerateRunes().Where(rune => !Rune.IsControl(rune)).Take(LongestName));
    }

    private static ILogger Logger(HttpContext context) => context.RequestServices.GetRequiredService<ILogger<OidcOptions>>();

    [LoggerMessage(Level = LogLevel.Error, Message = "{Authority} does not answer as an OpenID provider")]
    private static partial void LogUnavailable(ILogger logger, Uri authority, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A login to the dashboard failed: {Reason}")]
    private static partial void LogFailed(ILogger logger, string? reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a login to the dashboard: {Name} has no role in the claim {Claim}")]
    private static partial void LogNoRole(ILogger logger, string name, string claim);
}
