using System.Security.Claims;
using DataService.Data;
using DataService.Http;
using DataService.Jobs.Dashboard.Pages;
using Hangfire;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace DataService.Jobs.Dashboard;

/// <summary>Hangfire's dashboard at <c>/hangfire</c>, for whoever signed in with a token or at the OpenID provider.</summary>
internal static class DashboardSetup
{
    public const string Path = Caller.Dashboard;

    /// <summary>For every page and command of the dashboard, Hangfire's and ours: a viewer looks, an operator acts.</summary>
    public const string Policy = "Dashboard";

    /// <summary>For what whoever is signed in may do.</summary>
    private const string SessionPolicy = "DashboardSession";

    /// <summary>Hangfire's pages ask for their figures by POST, again and again.</summary>
    public static readonly PathString Figures = "/stats";

    /// <summary>Hangfire's pages size their bars and cards with style attributes; their scripts and all else come from files.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Hangfire keeps one menu for the whole process.</summary>
    static DashboardSetup()
    {
        DashboardPages.Register();
        NavigationMenu.Items.Add(page =>
            new MenuItem($"Sign out ({page.Context.GetHttpContext().User.FindFirstValue(ClaimTypes.Role)})", page.Url.To("/logout")));
    }

    public static void AddDashboard(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        var oidc = OidcOptions.From(builder.Configuration, allowHttp: builder.Environment.IsDevelopment());
        var secure = builder.Environment.IsDevelopment() ? CookieSecurePolicy.SameAsRequest : CookieSecurePolicy.Always;
        // The way back from the provider starts at another site: a Strict cookie would be missing from the first page. What changes
        // anything is asked by POST, with which other sites cannot have a Lax cookie sent either.
        var sameSite = oidc is null ? SameSiteMode.Strict : SameSiteMode.Lax;
        services.AddSingleton<JobNames>();
        services.AddSingleton<CreationFigureCache>();
        services.AddSingleton(Options);
        var authentication = services.AddAuthentication().AddCookie(cookie =>
        {
            cookie.Cookie.Name = "dataservice.dashboard";
            cookie.Cookie.HttpOnly = true;
            cookie.Cookie.SameSite = sameSite;
            cookie.Cookie.SecurePolicy = secure;
            cookie.LoginPath = DashboardLogin.LoginPath;
            cookie.ExpireTimeSpan = TimeSpan.FromHours(12);
            // The provider is asked again after that time, however busy the session was: the person may have lost the role.
            cookie.SlidingExpiration = oidc is null;
            cookie.Events.OnValidatePrincipal = DashboardSession.EndWithItsGroundAsync;
            // Without the host, which is what the caller says it is. A script gets 401 from it.
            var redirect = cookie.Events.OnRedirectToLogin;
            cookie.Events.OnRedirectToLogin = context =>
            {
                context.RedirectUri = new Uri(context.RedirectUri).PathAndQuery;
                return redirect(context);
            };
            cookie.Events.OnRedirectToAccessDenied = context => RefuseAsync(context.HttpContext);
        });
        if (oidc is not null)
        {
            services.AddSingleton(oidc);
            authentication.AddOidcLogin(oidc, secure);
        }

        services.AddAuthorizationBuilder()
            .AddPolicy(SessionPolicy, policy => policy
                .AddAuthenticationSchemes(CookieAuthenticationDefaults.AuthenticationScheme).RequireAuthenticatedUser())
            .AddPolicy(Policy, policy => policy
                .AddAuthenticationSchemes(CookieAuthenticationDefaults.AuthenticationScheme).RequireAuthenticatedUser()
                .AddRequirements(new OperatorToChange(Path + Figures)));
        services.AddAntiforgery(antiforgery =>
        {
            antiforgery.Cookie.Name = "dataservice.antiforgery";
            antiforgery.Cookie.SameSite = sameSite;
            // Not Always: antiforgery then refuses to work behind a proxy that ends TLS unannounced. The cookie alone opens nothing.
            antiforgery.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        AddSharedKeys(builder);
    }

    public static void MapDashboard(this WebApplication app)
    {
        app.UseHangfireRequests();
        app.MapDashboardLogin(SessionPolicy);
        app.MapDashboardPages();
        app.MapHangfireDashboard(Path, app.Services.GetRequiredService<DashboardOptions>())
            .RequireAuthorization(Policy).WithContentSecurityPolicy(ContentSecurityPolicy).OnlyAsHangfireExpects().ExcludeFromDescription();
    }

    private static DashboardOptions Options(IServiceProvider services)
    {
        var names = services.GetRequiredService<JobNames>();
        return new DashboardOptions
        {
            // Access is decided by the endpoint's policy; Hangfire's default is a list of its own, for local requests only.
            Authorization = [],
            AppPath = null,
            DashboardTitle = "DataService jobs",
            DisplayNameFunc = (_, job) => names.Of(job),
            DisplayStorageConnectionString = false,
            // Hides the buttons. What they call is refused by the endpoint's policy.
            IsReadOnlyFunc = context => !context.GetHttpContext().User.IsOperator,
        };
    }

    private static async Task RefuseAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        await context.RequestServices.GetRequiredService<IProblemDetailsService>().WriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = Problems.Details(ErrorCode.Forbidden, Problems.ViewersOnlyLook),
        });
    }

    /// <summary>Cookies of one instance open the others, and survive a restart: the key ring is in the database, encrypted.</summary>
    private static void AddSharedKeys(WebApplicationBuilder builder)
    {
        var protection = builder.Services.AddDataProtection().SetApplicationName("DataService");
        if (ApiTokens.IsConfigured(builder.Configuration))
        {
            protection.PersistKeysToDbContext<DataServiceDbContext>();
            builder.Services.AddOptions<KeyManagementOptions>().Configure<ApiTokens>((options, tokens) => options.XmlEncryptor = new ApiTokenXmlEncryptor(tokens));
        }
        else
        {
            // Under a token that was made up for this start, a stored key could never be opened again.
            protection.UseEphemeralDataProtectionProvider();
        }
    }
}
