using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>Says on every page of ours whether creation is paused, and lets an operator pause it or let it go on.</summary>
internal static class PausePanel
{
    public const string PausePath = "/pause";
    public const string ResumePath = "/resume";

    /// <summary>The project whose page the form stands on; it leads back there.</summary>
    private const string Project = "project";

    private const string Reason = "reason";

    /// <param name="http">The request.</param>
    /// <param name="db">Where the pause is.</param>
    /// <param name="slug">The project whose page it is on; null for the list.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    /// <returns>The pause, for the top of the page, and what pauses, for below it; one of them at most is there.</returns>
    public static async Task<(Markup Pause, Markup Command)> ShowAsync(HttpContext http, DataServiceDbContext db, string? slug, CancellationToken cancellationToken)
    {
        var pause = await db.CreationPauses.AsNoTracking().SingleOrDefaultAsync(cancellationToken);
        if (pause is null && !http.User.IsOperator)
            return (default, default);
        var back = slug is null ? default : Markup.Of($"""<input type="hidden" name="{Project}" value="{slug}">""");
        if (pause is null)
        {
            return (default, Markup.Of($"""
                <details class="ds-fold">
                  <summary>Pause creation</summary>
                  <form class="ds-form" method="post" action="{CreationView.Address(http, PausePath)}">{CreationView.Antiforgery(http)}{back}
                    <p>Every creation then waits, on all instances, until somebody resumes. Approvals go on.</p>
                    <div class="ds-field"><label for="pause-reason">Reason for the pause</label>
                      <input class="form-control" id="pause-reason" name="{Reason}" required maxlength="{CreationView.MaxReason}" autocomplete="off"></div>
                    <button class="btn btn-warning" type="submit">Pause creation</button>
                  </form>
                </details>
                """));
        }

        var cause = pause.Code is { } code
            ? Markup.Of($"GitHub refused the token again and again (<code>{code.Code}</code>): {Markup.Foreign(pause.Reason)} {Cures.Of(code)}")
            : Markup.Foreign(pause.Reason);
        var resume = !http.User.IsOperator ? default : Markup.Of($"""
            <form class="ds-form" method="post" action="{CreationView.Address(http, ResumePath)}">{CreationView.Antiforgery(http)}{back}
              <div class="ds-field"><label for="resume-reason">Reason, if there is more to say</label>
                <input class="form-control" id="resume-reason" name="{Reason}" maxlength="{CreationView.MaxReason}" autocomplete="off"></div>
              <button class="btn btn-primary" type="submit">Resume creation</button>
            </form>
            """);
        return (Markup.Of($"""
            <section class="alert alert-warning" aria-label="Pause">
              <p><strong>Creation is paused since {Markup.Ago(pause.Since)}.</strong> {cause}</p>
              {resume}
            </section>
            """), default);
    }

    public static async Task<IResult> PauseAsync(HttpContext http, CreationControl control, CancellationToken cancellationToken)
    {
        var form = await http.Request.ReadFormAsync(cancellationToken);
        if (CreationView.RefuseReason(form[Reason].ToString(), isRequired: true, out var reason) is { } refusal)
            return DashboardPages.Refuse(http, StatusCodes.Status400BadRequest, refusal, Back(http, form));
        await control.PauseAsync(reason!, cancellationToken);
        return TypedResults.LocalRedirect(Back(http, form));
    }

    public static async Task<IResult> ResumeAsync(HttpContext http, CreationControl control, CancellationToken cancellationToken)
    {
        var form = await http.Request.ReadFormAsync(cancellationToken);
        if (CreationView.RefuseReason(form[Reason].ToString(), isRequired: false, out var reason) is { } refusal)
            return DashboardPages.Refuse(http, StatusCodes.Status400BadRequest, refusal, Back(http, form));
        await control.ResumeAsync(reason, cancellationToken);
        return TypedResults.LocalRedirect(Back(http, form));
    }

    private static string Back(HttpContext http, IFormCollection form) => form[Project].ToString() is { Length: > 0 } slug
        ? CreationView.ProjectAddress(http, slug)
        : CreationView.Address(http, RepositoriesPage.Path);
}
