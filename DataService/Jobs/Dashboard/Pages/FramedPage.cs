using Hangfire;
using Hangfire.Dashboard;
using Hangfire.Dashboard.Pages;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>One of our pages inside Hangfire's frame: its menu, its styles, its scripts.</summary>
/// <param name="title">Of the window.</param>
/// <param name="body">Below the menu.</param>
/// <param name="status">HTTP's.</param>
internal sealed class FramedPage(string title, Markup body, int status = StatusCodes.Status200OK) : IResult
{
    private const string Html = "text/html; charset=utf-8";

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (services, request, response) = (httpContext.RequestServices, httpContext.Request, httpContext.Response);
        var (path, pathBase) = (request.Path, request.PathBase);
        // Hangfire's links and its menu are made of the base, as its own pages find it.
        if (path.StartsWithSegments(DashboardSetup.Path, out var matched, out var rest))
            (request.Path, request.PathBase) = (rest, pathBase.Add(matched));
        try
        {
            response.StatusCode = status;
            response.OnStarting(() =>
            {
                response.ContentType = Html;
                return Task.CompletedTask;
            });
            var context = new AspNetCoreDashboardContext(
                services.GetRequiredService<JobStorage>(), services.GetRequiredService<DashboardOptions>(), httpContext);
            // A page can be given its context by Hangfire's own dispatcher alone, which is made by a list of routes.
            var only = new Hangfire.Dashboard.RouteCollection();
            only.AddRazorPage(".*", _ => new Content(title, body));
            var route = only.FindDispatcher(request.Path.Value ?? "");
            context.UriMatch = route.Item2;
            await route.Item1.Dispatch(context);
        }
        finally
        {
            (request.Path, request.PathBase) = (path, pathBase);
        }
    }

    private sealed class Content(string title, Markup body) : RazorPage
    {
        public override void Execute()
        {
            Layout = new LayoutPage(title);
            WriteLiteral(body.Text);
        }
    }
}
