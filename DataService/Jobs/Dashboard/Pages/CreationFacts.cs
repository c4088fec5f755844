using DataService.Data;
using DataService.Domain;
using DataService.GitHub;
using Hangfire.Dashboard;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>Where a creation stands, with links: on the project's page, and on the page that Hangfire has for the job.</summary>
internal static class CreationFacts
{
    private const string Answer = "GitHub's answer";
    private const string Cure = "What to do";

    /// <param name="http">The request.</param>
    /// <param name="project">With its creation.</param>
    /// <param name="gitHub">The root of GitHub's pages.</param>
    /// <param name="isJobPage">Whether the page is the job's own.</param>
    public static Markup Of(HttpContext http, Project project, Uri gitHub, bool isJobPage = false)
    {
        var creation = project.RepoCreation;
        IEnumerable<(string Name, Markup? Value)> facts =
        [
            ("Project", isJobPage
                ? Markup.Of($"""<a href="{CreationView.ProjectAddress(http, project.Slug)}">{Markup.Foreign(project.Slug)}</a> {Markup.Foreign(project.Name)}""")
                : Markup.Of($"""{Words<ProjectStatus>.Of(project.Status)} <a href="{ClientView(http, project.Slug)}">What the client sees (JSON)</a>""")),
            ("Approved", project.ApprovedAt is { } approved ? Markup.Ago(approved) : Markup.Of($"not yet")),
            ("Repository", project.GithubRepo is { } repository
                ? Markup.Of($"""<a href="{new Uri(gitHub, repository).AbsoluteUri}" rel="noopener noreferrer">{repository}</a>""")
                : Markup.Of($"none yet")),
            ("State", creation is null ? Markup.Of($"no creation") : CreationView.State(creation.State)),
            (Answer, creation?.GithubError is null ? null : Failure(creation)),
            (Cure, creation is { State: RepoCreationState.Failed } ? Markup.Of($"{Cures.Of(creation.ErrorCode?.Code)}") : null),
            ("Attempts", creation is null ? null : Markup.Of($"{creation.Attempts}")),
            ("Next attempt", creation is { NextAttemptAt: null, WaitsFor: null } or null ? null : CreationView.Next(creation.NextAttemptAt, creation.WaitsFor)),
            ("Changed", creation is null ? null : Markup.Ago(creation.UpdatedAt)),
            ("Job", isJobPage || creation?.JobId is not { } job ? null : Markup.Of($"""<a href="{CreationView.JobAddress(http, job)}">job {job} in Hangfire</a>""")),
        ];
        return Markup.Of($"""
            <dl class="ds-facts ds-box">{facts.Where(fact => fact.Value is not null).Select(fact => Markup.Of($"""
              <div{(fact.Name is Answer or Cure ? new Markup(" class=\"ds-wide-fact\"") : default)}><dt>{fact.Name}</dt><dd>{fact.Value}</dd></div>
              """))}</dl>
            """);
    }

    /// <summary>For Hangfire's page of a job; nothing for jobs that create no repository.</summary>
    public static NonEscapedString Render(JobDetailsRendererDto details)
    {
        if (details.JobDetails.Job is not { Args: [Guid projectId, ..] } job || job.Type != typeof(CreateProjectRepoJob))
            return new NonEscapedString("");
        var http = details.Page.Context.GetHttpContext();
        var db = http.RequestServices.GetRequiredService<DataServiceDbContext>();
        if (db.Projects.AsNoTracking().Include(p => p.RepoCreation).SingleOrDefault(p => p.Id == projectId) is not { } project)
            return new NonEscapedString("""<div class="alert alert-info">The job's project is deleted.</div>""");
        var superseded = project.RepoCreation?.JobId is { } current && current != details.JobId
            ? Markup.Of($"""<div class="alert alert-info">Another job has taken this one's place: <a href="{CreationView.JobAddress(http, current)}">job {current}</a>.</div>""")
            : default;
        var facts = Of(http, project, http.RequestServices.GetRequiredService<GitHubOptions>().WebUrl, isJobPage: true);
        return new NonEscapedString(Markup.Of($"""<section class="ds-job" aria-label="The creation">{superseded}{facts}</section>""").Text);
    }

    private static Markup Failure(RepoCreation creation) => Markup.Of($"""
        {(creation.ErrorCode is { } code ? Markup.Of($"<code>{code.Code}</code> ") : default)}{CreationView.GitHubText(creation.GithubStatus, creation.GithubError)}
        """);

    private static string ClientView(HttpContext http, string slug)
    {
        var dashboard = CreationView.Address(http, "");
        return $"{dashboard[..^DashboardSetup.Path.Length]}/projects/{Uri.EscapeDataString(slug)}/client-view";
    }
}
