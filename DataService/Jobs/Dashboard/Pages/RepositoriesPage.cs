using DataService.Data;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs.Requeue;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>Every creation of a repository, with filters in the address, and the failures by code above them.</summary>
internal static class RepositoriesPage
{
    /// <summary>Below the dashboard's own.</summary>
    public const string Path = "/repositories";

    private const string Title = "Repositories";

    private const int PageSize = 50;

    public static async Task<IResult> ShowAsync(
        HttpContext http, CreationSearch search, DataServiceDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        var query = CreationQuery.Read(field => http.Request.Query[field]);
        var cursorText = http.Request.Query["cursor"].ToString();
        var refusal = query.Refuse(time.UtcNow, out var filter);
        CreationCursor? after = null;
        if (refusal is null && cursorText.Length > 0 && (after = CreationCursor.Parse(cursorText)) is null)
            refusal = "The address names a page that is none; go back to the first one.";
        var (pause, command) = await PausePanel.ShowAsync(http, db, slug: null, cancellationToken);
        // What stands above the list is the same on each of its pages.
        var groups = refusal is null && after is null ? await search.GroupsAsync(filter, cancellationToken) : [];
        var content = refusal is null
            ? await ListAsync(http, search, query, filter, after, cancellationToken)
            : CreationView.Alert(refusal);
        return new FramedPage(Title, Markup.Of($"""
            <div class="ds-page">
              <h1 class="page-header">{Title}</h1>
              {pause}
              {Groups(http, query, groups)}
              {command}
              {Form(http, query)}
              {content}
            </div>
            """), refusal is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    private static async Task<Markup> ListAsync(
        HttpContext http, CreationSearch search, CreationQuery query, CreationFilter filter, CreationCursor? after, CancellationToken cancellationToken)
    {
        var (page, next) = await search.ListAsync(filter, after, PageSize, cancellationToken);
        var requeue = http.User.IsOperator && page is not [] && MayMatchFailures(filter)
            ? Markup.Of($"""<a class="btn btn-primary" href="{CreationView.Address(http, RequeuePage.Path)}{query.Address()}">Re-run all that match</a>""")
            : default;
        return Markup.Of($"""
            <div class="ds-heading"><h2 id="creations">Creations, last changed first</h2>{requeue}</div>
            {List(http, page)}
            {Pager(http, query, after, next)}
            """);
    }

    private static bool MayMatchFailures(CreationFilter filter) => filter.States is [] || filter.States.Any(CreationFilter.Requeueable.Contains);

    private static Markup Form(HttpContext http, CreationQuery query)
    {
        var states = Enum.GetValues<RepoCreationState>().Select(state => Choice(CreationQuery.State, CreationQuery.Word(state), query.States, lower: true));
        var codes = CreationFilter.AllCodes.Select(code => Choice(CreationQuery.Code, code, query.Codes, lower: false));
        var open = query.Codes is [] ? default : new Markup(" open");
        return Markup.Of($"""
            <form class="ds-filter" method="get" action="{CreationView.Address(http, Path)}" role="search" aria-label="Filter the creations">
              <fieldset><legend>State</legend><div class="ds-choices">{states}</div></fieldset>
              <details class="ds-fold"{open}><summary>Code{(query.Codes is [] ? "" : $": {query.Codes.Count} chosen")}</summary>
                <fieldset><legend class="sr-only">Code</legend><div class="ds-choices ds-codes">{codes}</div></fieldset></details>
              <div class="ds-fields">
                <div class="ds-field ds-wide"><label for="q">Text in the slug, the name or GitHub's answer</label>
                  <input class="form-control" id="q" name="{CreationQuery.Part}" type="search" value="{query.Text}" maxlength="{FilterInput.MaxText}" dir="auto"></div>
                <div class="ds-field"><label for="since">Changed since</label>
                  <input class="form-control" id="since" name="{CreationQuery.From}" value="{query.Since}" list="times" autocomplete="off" aria-describedby="times-help"></div>
                <div class="ds-field"><label for="until">Changed before</label>
                  <input class="form-control" id="until" name="{CreationQuery.To}" value="{query.Until}" list="times" autocomplete="off" aria-describedby="times-help"></div>
                <div class="ds-field ds-buttons"><button class="btn btn-primary" type="submit">Filter</button>
                  <a class="btn btn-default" href="{CreationView.Address(http, Path)}">Clear</a></div>
              </div>
              <p class="ds-minor" id="times-help">A time before now, such as 30m, 2h or 7d, or an instant, such as 2026-01-05T09:30:00Z.</p>
              <datalist id="times"><option value="30m"><option value="2h"><option value="24h"><option value="7d"></datalist>
            </form>
            """);
    }

    private static Markup Choice(string name, string value, IReadOnlyList<string> chosen, bool lower) => Markup.Of($"""
        <label class="ds-choice"><input type="checkbox" name="{name}" value="{value}"{Checked(chosen.Contains(value, StringComparer.OrdinalIgnoreCase))}> {(lower ? value.ToLowerInvariant() : value)}</label>
        """);

    private static Markup Checked(bool isChecked) => isChecked ? new Markup(" checked") : default;

    private static Markup Groups(HttpContext http, CreationQuery query, IReadOnlyList<FailureGroup> groups)
    {
        if (groups is [])
            return default;
        var rows = groups.Select(group =>
        {
            var only = query with { States = ["failed"], Codes = [group.Code] };
            var requeue = http.User.IsOperator
                ? Markup.Of($"""<a href="{CreationView.Address(http, RequeuePage.Path)}{only.Address()}" aria-label="Re-run all of {group.Code}">Re-run</a>""")
                : default;
            return Markup.Of($"""
                <tr role="row">
                  <th scope="row" role="rowheader" data-label="Code"><a href="{CreationView.Address(http, Path)}{only.Address()}">{group.Code}</a></th>
                  <td role="cell" data-label="Failed" class="ds-number">{group.Count:N0}</td>
                  <td role="cell" data-label="First">{Markup.Ago(group.FirstAt)}</td>
                  <td role="cell" data-label="Latest">{Markup.Ago(group.LatestAt)}</td>
                  <td role="cell" data-label="What to do" class="ds-text">{Cures.Of(group.Code)}</td>
                  <td role="cell" class="ds-action">{requeue}</td>
                </tr>
                """);
        });
        return Markup.Of($"""
            <h2 id="groups">Failures by code</h2>
            <table class="table ds-table" role="table" aria-labelledby="groups">
              <thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Code</th><th scope="col" role="columnheader" class="ds-number">Failed</th>
                <th scope="col" role="columnheader">First</th><th scope="col" role="columnheader">Latest</th>
                <th scope="col" role="columnheader">What to do</th><th scope="col" role="columnheader"><span class="sr-only">Re-run</span></th></tr></thead>
              <tbody role="rowgroup">{rows}</tbody>
            </table>
            """);
    }

    private static Markup List(HttpContext http, IReadOnlyList<ListedCreation> page)
    {
        if (page is [])
            return Markup.Of($"""<div class="alert alert-info">No creation matches.</div>""");
        var rows = page.Select(creation => Markup.Of($"""
            <tr role="row">
              <th scope="row" role="rowheader" data-label="Project" class="ds-project"><a href="{CreationView.ProjectAddress(http, creation.Slug)}">{Markup.Foreign(creation.Slug)}</a>
                <span class="ds-minor ds-name">{Markup.Foreign(creation.Name)}</span></th>
              <td role="cell" data-label="State">{CreationView.State(creation.State)}</td>
              <td role="cell" data-label="Code">{Code(creation)}</td>
              <td role="cell" data-label="GitHub's answer" class="ds-text">{CreationView.GitHubText(creation.GithubStatus, creation.GithubError)}</td>
              <td role="cell" data-label="Attempts" class="ds-number">{creation.Attempts}</td>
              <td role="cell" data-label="Next attempt">{CreationView.Next(creation.NextAttemptAt, creation.WaitsFor)}</td>
              <td role="cell" data-label="Changed">{Markup.Ago(creation.UpdatedAt)}</td>
            </tr>
            """));
        return Markup.Of($"""
            <table class="table ds-table" role="table" aria-labelledby="creations">
              <thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">Project</th><th scope="col" role="columnheader">State</th>
                <th scope="col" role="columnheader">Code</th><th scope="col" role="columnheader">GitHub's answer</th>
                <th scope="col" role="columnheader" class="ds-number">Attempts</th><th scope="col" role="columnheader">Next attempt</th>
                <th scope="col" role="columnheader">Changed</th></tr></thead>
              <tbody role="rowgroup">{rows}</tbody>
            </table>
            """);
    }

    private static Markup Code(ListedCreation creation) => creation.ErrorCode is { } code ? Markup.Of($"<code>{code}</code>") : default;

    private static Markup Pager(HttpContext http, CreationQuery query, CreationCursor? after, CreationCursor? next)
    {
        if (after is null && next is null)
            return default;
        var first = after is null ? default
            : Markup.Of($"""<a class="btn btn-default" href="{CreationView.Address(http, Path)}{query.Address()}">First page</a>""");
        var older = next is null ? default
            : Markup.Of($"""<a class="btn btn-default" rel="next" href="{CreationView.Address(http, Path)}{query.Address(next.Value.ToString())}">Next page</a>""");
        return Markup.Of($"""<nav class="ds-pager" aria-label="Pages">{first} {older}</nav>""");
    }
}
