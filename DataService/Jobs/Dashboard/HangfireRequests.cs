using System.Globalization;
using System.Text.RegularExpressions;
using DataService.Http;

namespace DataService.Jobs.Dashboard;

/// <summary>Refuses what Hangfire's pages would break on: they read the ids of jobs as numbers, and forms where none need be.</summary>
internal static partial class HangfireRequests
{
    private const string Ids = "jobs[]";

    public static TBuilder OnlyAsHangfireExpects<TBuilder>(this TBuilder pages)
        where TBuilder : IEndpointConventionBuilder => pages.WithMetadata(new OfHangfire());

    /// <summary>Comes behind the authorization: nobody else learns what there is.</summary>
    public static void UseHangfireRequests(this WebApplication app) => app.Use(async (context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<OfHangfire>() is not null && await FindFaultAsync(context) is { } problem)
            await problem.ExecuteAsync(context);
        else
            await next(context);
    });

    private static async Task<IResult?> FindFaultAsync(HttpContext context)
    {
        var request = context.Request;
        request.Path.StartsWithSegments(DashboardSetup.Path, out var rest);
        // As Hangfire's own routes read it.
        PathString page = rest.Value?.TrimEnd('/');
        var job = OneJob().Match(page.Value ?? "");
        if (job.Success)
            return IsId(job.Groups["id"].Value) ? null : Problems.NotFound($"There is no job '{Problems.Shortened(job.Groups["id"].Value)}'.");
        if (page == DashboardSetup.Figures && !HttpMethods.IsPost(request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Post;
            return TypedResults.StatusCode(StatusCodes.Status405MethodNotAllowed);
        }

        if (!HttpMethods.IsPost(request.Method))
            return null;
        if (!request.HasFormContentType)
            return TypedResults.Problem(Problems.Details(ErrorCode.Validation, "Send a form, as the pages do.", StatusCodes.Status415UnsupportedMediaType));
        return page.StartsWithSegments("/jobs") && (await request.ReadFormAsync(context.RequestAborted))[Ids].FirstOrDefault(id => !IsId(id)) is { } wrong
            ? Problems.Invalid(Ids, $"'{Problems.Shortened(wrong)}' is not the id of a job.")
            : null;
    }

    private static bool IsId(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    [GeneratedRegex("^/jobs/(?:details|actions/[a-z]+)/(?<id>.+)$", RegexOptions.IgnoreCase)]
    private static partial Regex OneJob();

    private sealed record OfHangfire;
}
