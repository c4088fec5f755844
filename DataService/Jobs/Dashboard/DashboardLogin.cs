using System.Security.Claims;
using System.Text.Encodings.Web;
using DataService.Http;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Jobs.Dashboard;

/// <summary>The page that trades the API token for the dashboard's cookie, and the one that gives it back.</summary>
internal static partial class DashboardLogin
{
    public const string LoginPath = DashboardSetup.Path + "/login";

    /// <summary>Binds a session to the token that opened it.</summary>
    public const string TokenClaim = "token";

    private static readonly string ReturnUrl = CookieAuthenticationDefaults.ReturnUrlParameter;

    private const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly string LoginPage = Asset("login.html");
    private static readonly string LogoutPage = Asset("logout.html");
    private static readonly string Stylesheet = Asset("login.css");
    private static readonly string Script = Asset("login.js");

    public static void MapDashboardLogin(this IEndpointRouteBuilder app, string policy)
    {
        var dashboard = app.MapGroup(DashboardSetup.Path).ExcludeFromDescription().WithContentSecurityPolicy(ContentSecurityPolicy);
        dashboard.MapGet("/login", (HttpContext context) => Page(LoginForm(context, ""))).AllowAnonymous();
        dashboard.MapPost("/login", LoginAsync).AllowAnonymous().RequireRateLimiting(RateLimits.Login).DisableAntiforgery();
        dashboard.MapGet("/login.css", () => TypedResults.Text(Stylesheet, "text/css")).AllowAnonymous();
        dashboard.MapGet("/login.js", () => TypedResults.Text(Script, "text/javascript")).AllowAnonymous();
        dashboard.MapGet("/logout", ConfirmLogout).RequireAuthorization(policy);
        dashboard.MapPost("/logout", LogoutAsync).RequireAuthorization(policy);
    }

    private static async Task<IResult> LoginAsync(HttpContext context, ApiTokens tokens, ILogger<ApiTokens> logger)
    {
        var form = context.Request.HasFormContentType ? await context.Request.ReadFormAsync(context.RequestAborted) : FormCollection.Empty;
        var token = form["token"].ToString().Trim();
        if (!tokens.Accept(token))
        {
            LogRefused(logger, context.Connection.RemoteIpAddress);
            return Page(LoginForm(context, "That is not a valid API token."), StatusCodes.Status401Unauthorized);
        }

        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, "admin"), new Claim(TokenClaim, ApiTokens.Fingerprint(token))], CookieAuthenticationDefaults.AuthenticationScheme);
        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, new ClaimsPrincipal(identity));
        return TypedResults.LocalRedirect(LocalReturnUrl(context) ?? context.Request.PathBase + DashboardSetup.Path, preserveMethod: false, permanent: false);
    }

    private static ContentHttpResult ConfirmLogout(HttpContext context, IAntiforgery antiforgery)
    {
        var tokens = antiforgery.GetAndStoreTokens(context);
        return Page(LogoutPage
            .Replace("{{base}}", context.Request.PathBase + DashboardSetup.Path, StringComparison.Ordinal)
            .Replace("{{antiforgeryField}}", tokens.FormFieldName, StringComparison.Ordinal)
            .Replace("{{antiforgeryToken}}", tokens.RequestToken, StringComparison.Ordinal));
    }

    private static async Task<IResult> LogoutAsync(HttpContext context, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
            return TypedResults.Problem(Problems.Details(ErrorCode.Validation, "Sign out from the dashboard's own page."));
        await context.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        return TypedResults.LocalRedirect(context.Request.PathBase + LoginPath);
    }

    private static string LoginForm(HttpContext context, string error) => LoginPage
        .Replace("{{base}}", context.Request.PathBase + DashboardSetup.Path, StringComparison.Ordinal)
        .Replace("{{query}}", LocalReturnUrl(context) is { } returnUrl ? HtmlEncoder.Default.Encode(QueryString.Create(ReturnUrl, returnUrl).Value ?? "") : "", StringComparison.Ordinal)
        .Replace("{{error}}", error, StringComparison.Ordinal);

    /// <summary>Where to go after signing in; only ever inside the dashboard.</summary>
    private static string? LocalReturnUrl(HttpContext context) =>
        context.Request.Query[ReturnUrl].ToString() is { Length: > 0 } url
        && Uri.TryCreate(new Uri("http://local"), url, out var target) && target.Authority == "local"
        && PathString.FromUriComponent(target).StartsWithSegments(context.Request.PathBase + DashboardSetup.Path, StringComparison.Ordinal)
            ? target.PathAndQuery
            : null;

    private static ContentHttpResult Page(string html, int status = StatusCodes.Status200OK) =>
        TypedResults.Content(html, "text/html; charset=utf-8", statusCode: status);

    private static string Asset(string name)
    {
        using var stream = typeof(DashboardLogin).Assembly.GetManifestResourceStream($"DataService.Jobs.Dashboard.{name}")
            ?? throw new InvalidOperationException($"The build left out {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused a login to the dashboard from {Address}")]
    private static partial void LogRefused(ILogger logger, System.Net.IPAddress? address);
}
