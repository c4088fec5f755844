using System.Security.Claims;
using DataService.Http;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Jobs.Dashboard;

/// <summary>The page that trades a token for the dashboard's cookie, and the one that gives it back.</summary>
internal static partial class DashboardLogin
{
    public const string LoginPath = DashboardSetup.Path + "/login";

    private static readonly string LoginPage = SessionPages.Asset("login.html");
    private static readonly string LogoutPage = SessionPages.Asset("logout.html");
    private static readonly string Stylesheet = SessionPages.Asset("login.css");
    private static readonly string Script = SessionPages.Asset("login.js");

    /// <param name="app">The service.</param>
    /// <param name="policy">Who may sign out: whoever is signed in.</param>
    public static void MapDashboardLogin(this WebApplication app, string policy)
    {
        var dashboard = app.MapGroup(DashboardSetup.Path).ExcludeFromDescription()
            .WithContentSecurityPolicy(SessionPages.ContentSecurityPolicy);
        if (app.Services.GetService<OidcOptions>() is null)
        {
            dashboard.MapGet("/login", (HttpContext context) => LoginForm(context, "")).AllowAnonymous();
            dashboard.MapPost("/login", LoginAsync).AllowAnonymous().RequireRateLimiting(RateLimits.Login).DisableAntiforgery();
            dashboard.MapGet("/login.js", () => TypedResults.Text(Script, "text/javascript")).AllowAnonymous();
        }
        else
        {
            dashboard.MapOidcLogin();
        }

        dashboard.MapGet("/login.css", () => TypedResults.Text(Stylesheet, "text/css")).AllowAnonymous();
        dashboard.MapGet("/logout", ConfirmLogout).RequireAuthorization(policy);
        dashboard.MapPost("/logout", LogoutAsync).RequireAuthorization(policy);
    }

    private static async Task<IResult> LoginAsync(HttpContext context, ApiTokens tokens, ILogger<ApiTokens> logger)
    {
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : FormCollection.Empty;
        var token = form["token"].ToString().Trim();
        if (tokens.RoleOf(token) is not { } role)
        {
            LogRefused(logger, context.Connection.RemoteIpAddress);
            return LoginForm(context, "That is not a valid token.", StatusCodes.Status401Unauthorized);
        }

        var session = DashboardSession.Of(ApiTokens.ActorOf(role), role, ApiTokens.Fingerprint(token));
        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, session);
        return TypedResults.LocalRedirect(SessionPages.LocalReturnUrl(context) ?? context.Request.PathBase + DashboardSetup.Path);
    }

    private static ContentHttpResult ConfirmLogout(HttpContext context, IAntiforgery antiforgery)
    {
        var tokens = antiforgery.GetAndStoreTokens(context);
        return SessionPages.Page(
            context, LogoutPage, StatusCodes.Status200OK,
            ("actor", context.User.Actor), ("role", context.User.FindFirstValue(ClaimTypes.Role) ?? ""),
            ("antiforgeryField", tokens.FormFieldName), ("antiforgeryToken", tokens.RequestToken ?? ""));
    }

    private static async Task<IResult> LogoutAsync(HttpContext context, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
            return TypedResults.Problem(Problems.Details(ErrorCode.Validation, "Sign out from the dashboard's own page."));
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return context.RequestServices.GetService<OidcOptions>() is { } oidc && await OidcLogin.SignOutAsync(context, oidc) is { } atTheProvider
            ? atTheProvider
            : TypedResults.LocalRedirect(context.Request.PathBase + LoginPath);
    }

    private static ContentHttpResult LoginForm(HttpContext context, string error, int status = StatusCodes.Status200OK) =>
        SessionPages.Page(context, LoginPage, status, ("query", SessionPages.Query(context)), ("error", error));

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a login to the dashboard from {Address}")]
    private static partial void LogRefused(ILogger logger, System.Net.IPAddress? address);
}
