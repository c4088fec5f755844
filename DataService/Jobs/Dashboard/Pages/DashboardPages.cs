using DataService.Http;
using Hangfire;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Antiforgery;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>The operator's pages, beside Hangfire's own and in their frame.</summary>
internal static class DashboardPages
{
    public const string ScriptPath = "/pages.js";

    /// <summary>Stricter than what Hangfire's own pages need: no style but from files either.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'";

    private const string Stylesheet = "Pages.pages.css";

    private static readonly string Script = SessionPages.Asset("Pages.pages.js");

    /// <summary>What Hangfire keeps once for the whole process; what is shown is asked of each request's own service.</summary>
    public static void Register()
    {
        DashboardRoutes.AddStylesheet(typeof(DashboardPages).Assembly, SessionPages.AssetName(Stylesheet));
        NavigationMenu.Items.Insert(0, page => new MenuItem("Repositories", page.Url.To(RepositoriesPage.Path))
        {
            Active = page.RequestPath.StartsWith(RepositoriesPage.Path, StringComparison.OrdinalIgnoreCase)
                || page.RequestPath.Equals(RequeuePage.Path, StringComparison.OrdinalIgnoreCase),
            Metric = CreationMetrics.FailedOrNull,
        });
        CreationMetrics.Register();
        GlobalConfiguration.Configuration.UseJobDetailsRenderer(0, CreationFacts.Render);
    }

    public static void MapDashboardPages(this WebApplication app)
    {
        var pages = app.MapGroup(DashboardSetup.Path).RequireAuthorization(DashboardSetup.Policy).ExcludeFromDescription()
            .WithContentSecurityPolicy(ContentSecurityPolicy);
        const string Project = RepositoriesPage.Path + "/{slug}";
        pages.MapGet(RepositoriesPage.Path, RepositoriesPage.ShowAsync);
        pages.MapGet(Project, ProjectPage.ShowAsync);
        pages.MapGet(RequeuePage.Path, RequeuePage.ShowAsync);
        pages.MapGet(ScriptPath, () => TypedResults.Text(Script, "text/javascript"));

        var commands = pages.MapGroup("").AddEndpointFilter(RefuseForgeryAsync);
        commands.MapPost(RequeuePage.Path, RequeuePage.RunAsync);
        commands.MapPost(Project + ProjectPage.RequeuePath, ProjectPage.RequeueAsync);
        commands.MapPost(Project + ProjectPage.ChoosePath, ProjectPage.ChooseAsync);
        commands.MapPost(PausePanel.PausePath, PausePanel.PauseAsync);
        commands.MapPost(PausePanel.ResumePath, PausePanel.ResumeAsync);

        // Who had to sign in again comes back to the address of the command by GET.
        foreach (var command in (string[])[Project + ProjectPage.RequeuePath, Project + ProjectPage.ChoosePath])
            pages.MapGet(command, (string slug, HttpContext http) => TypedResults.LocalRedirect(CreationView.ProjectAddress(http, slug)));
        foreach (var command in (string[])[PausePanel.PausePath, PausePanel.ResumePath])
            pages.MapGet(command, (HttpContext http) => TypedResults.LocalRedirect(CreationView.Address(http, RepositoriesPage.Path)));
    }

    /// <summary>The page's script asks for JSON; a form of a browser does not.</summary>
    public static bool WantsJson(HttpContext http) => http.Request.Headers.Accept.ToString().StartsWith("application/json", StringComparison.OrdinalIgnoreCase);

    /// <summary>A refusal as a page of its own, or as a problem for the script.</summary>
    /// <param name="http">The request.</param>
    /// <param name="status">HTTP's.</param>
    /// <param name="text">For people.</param>
    /// <param name="back">Where they go on.</param>
    public static IResult Refuse(HttpContext http, int status, string text, string back) => WantsJson(http)
        ? TypedResults.Problem(Problems.Details(ErrorCode.ForStatus(status), text, status))
        : new FramedPage("Refused", Markup.Of($"""
            <div class="ds-page">{CreationView.Alert(text)}<p><a class="btn btn-default" href="{back}">Back</a></p></div>
            """), status);

    private static async ValueTask<object?> RefuseForgeryAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        return await http.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(http)
            ? await next(context)
            : Refuse(
                http, StatusCodes.Status400BadRequest, "This did not come from the dashboard's own page, or from one that is out of date. Load the page again.",
                CreationView.Address(http, RepositoriesPage.Path));
    }
}
