using DataService.Data;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs.Requeue;

namespace DataService.Jobs.Dashboard.Pages;

/// <param name="Requeued">By this batch.</param>
/// <param name="Skipped">How many match still and are left as they are, by reason; a later batch passes over them again.</param>
/// <param name="Remaining">For the batches to come; 0 says that the run is over.</param>
internal sealed record RequeueProgress(int Requeued, IReadOnlyDictionary<string, int> Skipped, int Remaining);

/// <summary>
/// Runs all again that match: shows first how many they are, then goes through them batch by batch. The page's script sends the batches one
/// after another; without it, each press sends one.
/// </summary>
internal static class RequeuePage
{
    /// <summary>Below the dashboard's own. Not below the repositories: a project may be called like that.</summary>
    public const string Path = "/requeue";

    /// <summary>A batch takes well below a second, and the bar moves.</summary>
    public const int BatchSize = 250;

    private const string Title = "Re-run all that match";

    private const string Reason = "reason";

    public static async Task<IResult> ShowAsync(
        HttpContext http, RequeueEngine engine, CreationFigureCache figures, TimeProvider time, CancellationToken cancellationToken)
    {
        if (CreationQuery.Read(field => http.Request.Query[field]).Refuse(time.UtcNow, out var filter) is { } refusal)
            return Page(CreationView.Alert(refusal), StatusCodes.Status400BadRequest);
        return await CountAsync(http, engine, figures, filter, reason: "", refusal: null, cancellationToken);
    }

    public static async Task<IResult> RunAsync(
        HttpContext http, RequeueEngine engine, CreationFigureCache figures, TimeProvider time, CancellationToken cancellationToken)
    {
        var form = await http.Request.ReadFormAsync(cancellationToken);
        var query = CreationQuery.Read(field => form[field]);
        if (query.Refuse(time.UtcNow, out var filter) is { } refusal)
            return DashboardPages.Refuse(http, StatusCodes.Status400BadRequest, refusal, CreationView.Address(http, RepositoriesPage.Path));
        if (CreationView.RefuseReason(form[Reason].ToString(), isRequired: true, out var reason) is { } missing)
        {
            return DashboardPages.WantsJson(http)
                ? TypedResults.Problem(Problems.Validation(Reason, missing))
                : await CountAsync(http, engine, figures, filter, form[Reason].ToString(), missing, cancellationToken);
        }

        var batch = await engine.RequeueAsync(filter, BatchSize, reason, dryRun: false, cancellationToken);
        var progress = new RequeueProgress(batch.Requeued.Count, batch.Skipped, batch.Remaining);
        return DashboardPages.WantsJson(http)
            ? TypedResults.Json(progress)
            : Page(Result(http, filter with { Until = batch.Until }, reason!, progress));
    }

    private static async Task<IResult> CountAsync(
        HttpContext http, RequeueEngine engine, CreationFigureCache figures, CreationFilter filter, string reason, string? refusal,
        CancellationToken cancellationToken)
    {
        var count = await engine.RequeueAsync(filter, BatchSize, reason: null, dryRun: true, cancellationToken);
        // What fails from now on was not counted, and is none of this run.
        filter = filter with { Until = count.Until, States = filter.States is [] ? [RepoCreationState.Failed] : filter.States };
        var duration = count.Remaining is > 0 && figures.Duration(count.Remaining) is { } least
            ? Markup.Of($"<p>At GitHub's budget of {figures.Limit.ToString()} all of them take at least {least}.</p>")
            : default;
        var run = !http.User.IsOperator || count.Remaining is 0 ? default : Markup.Of($"""
            <form class="ds-form" id="requeue" method="post" action="{CreationView.Address(http, Path)}" data-total="{count.Remaining}">
              {CreationView.Antiforgery(http)}{CreationQuery.Of(filter).HiddenFields()}
              <div class="ds-field"><label for="reason">Reason: it stands in the audit and in each job's history</label>
                <input class="form-control" id="reason" name="{Reason}" value="{reason}" required maxlength="{CreationView.MaxReason}" autocomplete="off" autofocus dir="auto"></div>
              <button class="btn btn-primary" type="submit">Re-run {count.Remaining:N0}</button>
              <a class="btn btn-default" href="{List(http, filter)}">Cancel</a>
              <noscript><p>Without JavaScript each press runs one batch of {BatchSize}.</p></noscript>
            </form>
            <section id="run" aria-labelledby="run-title" hidden>
              <h2 id="run-title">Progress</h2>
              <div class="progress"><div class="progress-bar" id="run-bar" role="progressbar" aria-labelledby="run-title" aria-valuemin="0" aria-valuemax="{count.Remaining}" aria-valuenow="0"></div></div>
              <p id="run-count"></p>
              <p id="run-said" role="status" aria-live="polite"></p>
              <table class="table ds-narrow" id="run-skipped" hidden><caption>Skipped</caption><thead><tr><th scope="col">Why</th><th scope="col" class="ds-number">How many</th></tr></thead><tbody></tbody></table>
              <button class="btn btn-default" id="run-stop" type="button">Stop after this batch</button>
              <a class="btn btn-primary" id="run-back" href="{Outcome(http, filter)}" hidden>See what becomes of them</a>
            </section>
            <script src="{CreationView.Address(http, DashboardPages.ScriptPath)}" defer></script>
            """);
        return Page(
            Markup.Of($"""
                {CreationView.Alert(refusal)}
                <p class="ds-lead" id="count"><strong>{count.Remaining:N0}</strong> to re-run: {Markup.Foreign(filter.ToString())}</p>
                <div id="plan">{duration}{Skipped(count.Skipped, "Skipped, as they stand")}</div>
                {(count.Remaining is 0 ? Markup.Of($"""<p><a class="btn btn-default" href="{List(http, filter)}">Back to the list</a></p>""") : default)}
                {run}
                """),
            refusal is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    /// <summary>For a browser that runs no script.</summary>
    private static Markup Result(HttpContext http, CreationFilter filter, string reason, RequeueProgress progress)
    {
        var next = progress.Remaining is 0 ? default : Markup.Of($"""
            <form method="post" action="{CreationView.Address(http, Path)}">{CreationView.Antiforgery(http)}{CreationQuery.Of(filter).HiddenFields()}
              <input type="hidden" name="{Reason}" value="{reason}">
              <button class="btn btn-primary" type="submit">Re-run the next {Math.Min(progress.Remaining, BatchSize):N0}</button>
            </form>
            """);
        return Markup.Of($"""
            <p class="ds-lead" role="status"><strong>{progress.Requeued:N0}</strong> re-run by this batch, {progress.Remaining:N0} remain.</p>
            {Skipped(progress.Skipped, "Skipped")}
            {next}
            <p><a href="{Outcome(http, filter)}">See what becomes of them</a></p>
            """);
    }

    private static Markup Skipped(IReadOnlyDictionary<string, int> skipped, string caption) => skipped.Count is 0 ? default : Markup.Of($"""
        <table class="table ds-narrow"><caption>{caption}</caption><thead><tr><th scope="col">Why</th><th scope="col" class="ds-number">How many</th></tr></thead>
        <tbody>{skipped.OrderByDescending(reason => reason.Value).Select(reason => Markup.Of($"""<tr><th scope="row">{reason.Key}</th><td class="ds-number">{reason.Value:N0}</td></tr>"""))}</tbody></table>
        """);

    /// <summary>The list that the run came from, without the end that was set for the run.</summary>
    private static string List(HttpContext http, CreationFilter filter) =>
        $"{CreationView.Address(http, RepositoriesPage.Path)}{CreationQuery.Of(filter with { Until = null }).Address()}";

    /// <summary>What was re-run has no code and is not failed any more, and stands on top, last changed.</summary>
    private static string Outcome(HttpContext http, CreationFilter filter) => List(http, filter with { States = [], Codes = [] });

    private static FramedPage Page(Markup content, int status = StatusCodes.Status200OK) => new(Title, Markup.Of($"""
        <div class="ds-page"><h1 class="page-header">{Title}</h1>{content}</div>
        """), status);
}
