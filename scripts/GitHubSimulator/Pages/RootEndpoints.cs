using GitHubSimulator.Api;

namespace GitHubSimulator.Pages;

internal static class RootEndpoints
{
    /// <summary>A page for a browser, GitHub's index for the rest; neither needs a token.</summary>
    public static void MapRoot(this IEndpointRouteBuilder app) => app.MapGet("/", (HttpContext context, SimulatorState state) =>
    {
        if (context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
            return Results.Text(StartPage.Of(state, $"{context.Request.Scheme}://{context.Request.Host}"), "text/html; charset=utf-8");
        }

        var root = $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}";
        return Results.Json(new Dictionary<string, string>
        {
            ["current_user_url"] = $"{root}/user",
            ["current_user_repositories_url"] = $"{root}/user/repos{{?type,page,per_page,sort}}",
            ["organization_url"] = $"{root}/orgs/{{org}}",
            ["organization_repositories_url"] = $"{root}/orgs/{{org}}/repos{{?type,page,per_page,sort}}",
            ["repository_url"] = $"{root}/repos/{{owner}}/{{repo}}",
            ["rate_limit_url"] = $"{root}/rate_limit",
        });
    });

    /// <summary>GitHub answers 404 to what it does not know, also to a known path with an unknown method.</summary>
    public static void MapUnknown(this IEndpointRouteBuilder api) => api.MapFallback("{**path}", (ApiCall call) => Answers.NotFound());
}
