using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using DataService.Http;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>One project: where the creation of its repository stands, how it came there, and what an operator can do about it.</summary>
internal static class ProjectPage
{
    public const string RequeuePath = "/requeue";
    public const string ChoosePath = "/repository";

    private const string Reason = "reason";
    private const string Repository = "repository";

    private static readonly Markup Separator = new(" · ");

    /// <summary>In the address after an action; nothing else is ever shown from there.</summary>
    private static readonly Dictionary<string, string> Done = new()
    {
        ["requeued"] = "The creation is enqueued.",
        ["chosen"] = "The repository is linked.",
    };

    public static Task<IResult> ShowAsync(
        string slug, HttpContext http, DataServiceDbContext db, GitHubOptions gitHub, CancellationToken cancellationToken) =>
        ShowAsync(slug, http, db, gitHub, refusal: null, StatusCodes.Status200OK, cancellationToken);

    public static async Task<IResult> RequeueAsync(
        string slug, HttpContext http, ProjectRepository repository, DataServiceDbContext db, GitHubOptions gitHub, CancellationToken cancellationToken)
    {
        var form = await http.Request.ReadFormAsync(cancellationToken);
        if (CreationView.RefuseReason(form[Reason].ToString(), isRequired: false, out var reason) is { } refusal)
            return await ShowAsync(slug, http, db, gitHub, refusal, StatusCodes.Status400BadRequest, cancellationToken);
        try
        {
            return await repository.RequeueAsync(slug, reason, cancellationToken) is null ? NoSuchProject(http, slug) : DoneWith(http, slug, "requeued");
        }
        catch (InvalidTransitionException refused)
        {
            return await ShowAsync(slug, http, db, gitHub, refused.Message, StatusCodes.Status409Conflict, cancellationToken);
        }
    }

    public static async Task<IResult> ChooseAsync(
        string slug, HttpContext http, ProjectRepository repository, DataServiceDbContext db, GitHubOptions gitHub, CancellationToken cancellationToken)
    {
        var form = await http.Request.ReadFormAsync(cancellationToken);
        var fullName = form[Repository].ToString().Trim();
        if (!RepositoryName.IsFullName(fullName))
            return await ShowAsync(slug, http, db, gitHub, "Give the repository as owner/name.", StatusCodes.Status400BadRequest, cancellationToken);
        return await repository.ChooseAsync(slug, fullName, cancellationToken) is null ? NoSuchProject(http, slug) : DoneWith(http, slug, "chosen");
    }

    private static async Task<IResult> ShowAsync(
        string slug, HttpContext http, DataServiceDbContext db, GitHubOptions gitHub, string? refusal, int status, CancellationToken cancellationToken)
    {
        if (await db.FindProjectAsync(slug, cancellationToken) is not { } project)
            return NoSuchProject(http, slug);
        var story = await Timeline.OfAsync(db, project.Id, cancellationToken);
        var (pause, command) = await PausePanel.ShowAsync(http, db, project.Slug, cancellationToken);
        var done = refusal is null && Done.GetValueOrDefault(http.Request.Query["done"].ToString()) is { } text
            ? Markup.Of($"""<div class="alert alert-success" role="status">{text}</div>""")
            : default;
        return new FramedPage(project.Slug, Markup.Of($"""
            <div class="ds-page">
              <nav aria-label="Breadcrumb"><a href="{CreationView.Address(http, RepositoriesPage.Path)}">Repositories</a></nav>
              <h1 class="page-header ds-title">{Markup.Foreign(project.Name)} <small>{Markup.Foreign(project.Slug)}</small></h1>
              {done}{CreationView.Alert(refusal)}
              {pause}
              {CreationFacts.Of(http, project, gitHub.WebUrl)}
              {Actions(http, project)}
              {command}
              <h2 id="timeline">Timeline</h2>
              {Story(http, story)}
            </div>
            """), status);
    }

    private static Markup Actions(HttpContext http, Project project)
    {
        if (!http.User.IsOperator)
            return default;
        var address = CreationView.ProjectAddress(http, project.Slug);
        var requeue = project is { ApprovedAt: not null, GithubRepo: null } ? Markup.Of($"""
            <form class="ds-form ds-box" method="post" action="{address}{RequeuePath}" aria-labelledby="requeue-title">{CreationView.Antiforgery(http)}
              <h3 id="requeue-title">Re-run the creation</h3>
              <div class="ds-field"><label for="requeue-reason">Reason, if there is more to say</label>
                <input class="form-control" id="requeue-reason" name="{Reason}" maxlength="{CreationView.MaxReason}" autocomplete="off" dir="auto"></div>
              <button class="btn btn-primary" type="submit">Re-run</button>
            </form>
            """) : default;
        return Markup.Of($"""
            <div class="ds-actions">
              {requeue}
              <form class="ds-form ds-box" method="post" action="{address}{ChoosePath}" aria-labelledby="choose-title">{CreationView.Antiforgery(http)}
                <h3 id="choose-title">{(project.GithubRepo is null ? "Choose an existing repository" : "Choose another repository")}</h3>
                <div class="ds-field"><label for="choose-repository">Repository, as owner/name</label>
                  <input class="form-control" id="choose-repository" name="{Repository}" required maxlength="140" autocomplete="off" autocapitalize="none" spellcheck="false"></div>
                <button class="btn btn-default" type="submit">Link it</button>
              </form>
            </div>
            """);
    }

    private static Markup Story(HttpContext http, IReadOnlyList<TimelineEntry> story) => story is []
        ? Markup.Of($"<p>Nothing has happened yet.</p>")
        : Markup.Of($"""
            <ol class="ds-timeline" aria-labelledby="timeline">
            {story.Select(entry => Markup.Of($"""
                <li class="ds-event ds-event-{entry.Kind}">
                  <span class="ds-when">{Markup.At(entry.At)}</span>
                  <div class="ds-what">{What(entry)} <span class="ds-minor">{Details(http, entry).SelectMany((detail, i) => i is 0 ? [detail] : (Markup[])[Separator, detail])}</span></div>
                </li>
                """))}
            </ol>
            """);

    /// <summary>What a person did is said in full by its text; what happened has a name before it.</summary>
    private static Markup What(TimelineEntry entry) => entry switch
    {
        { Actor: not null } => Markup.Of($"<strong>{Markup.Foreign(entry.Text)}</strong>"),
        { Kind: "attempt_started" } => Markup.Of($"<strong>attempt {entry.Attempt ?? 0}</strong> {Markup.Foreign(entry.Text)}"),
        _ => Markup.Of($"<strong>{entry.Kind.Replace('_', ' ')}</strong> {Markup.Foreign(entry.Text)}"),
    };

    private static IEnumerable<Markup> Details(HttpContext http, TimelineEntry entry)
    {
        if (entry.Code is { } code)
            yield return Markup.Of($"<code>{code.Code}</code>");
        if (entry.GithubStatus is { } status)
            yield return Markup.Of($"{status}");
        if (entry.Attempt is { } attempt && entry.Kind is not "attempt_started")
            yield return Markup.Of($"attempt {attempt}");
        if (entry.Actor is { } actor)
            yield return Markup.Of($"by {Markup.Foreign(actor)}");
        if (entry.JobId is { } job)
            yield return Markup.Of($"""<a href="{CreationView.JobAddress(http, job)}">job {job}</a>""");
        if (entry.NextAt is { } next)
            yield return Markup.Of($"goes on {Markup.Ago(next)}");
        if (entry.RequestId is { } request)
            yield return Markup.Of($"request {Markup.Foreign(request)}");
    }

    private static Microsoft.AspNetCore.Http.HttpResults.RedirectHttpResult DoneWith(HttpContext http, string slug, string what) =>
        TypedResults.LocalRedirect($"{CreationView.ProjectAddress(http, slug)}?done={what}");

    private static IResult NoSuchProject(HttpContext http, string slug) => DashboardPages.Refuse(
        http, StatusCodes.Status404NotFound, $"There is no project '{(slug.Length > 100 ? $"{slug[..100]}…" : slug)}'.",
        CreationView.Address(http, RepositoriesPage.Path));
}
