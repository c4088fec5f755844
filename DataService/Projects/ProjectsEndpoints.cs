using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Projects;

internal static class ProjectsEndpoints
{
    public static void AddProjects(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<PlainApproval>();
        builder.Services.AddScoped<ApprovalByEntities>();
    }

    public static void MapProjects(this IEndpointRouteBuilder app)
    {
        var projects = app.MapGroup("/projects").WithTags("Projects");
        projects.MapQuery("", ListProjects.HandleAsync).WithName("listProjects").WithSummary("List projects, newest first");
        projects.MapPost("", CreateAsync).WithName("createProject").WithSummary("Create a project").ProducesProblems(ErrorCode.Conflict)
            .WithDescription("The slug is made from the name, other scripts spelled in ASCII, and never changes.");
        projects.MapGet("/{slug}", GetAsync).WithName("getProject").WithSummary("Get a project").ProducesProblems(ErrorCode.NotFound);
        projects.MapDelete("/{slug}", DeleteAsync).WithName("deleteProject").WithSummary("Delete a project; its repository stays")
            .ProducesProblems(ErrorCode.NotFound);
        projects.MapPut("/{slug}/github-repo", ChooseRepositoryAsync).WithName("chooseRepository")
            .WithSummary("Choose the project's repository by hand, or none").ProducesProblems(ErrorCode.NotFound);
        projects.MapGet("/{slug}/timeline", ProjectTimeline.HandleAsync).WithName("getTimeline")
            .WithSummary("What was done with the project, and how the creation of its repository fared, oldest first")
            .WithDescription(
                "At most the latest 500 actions and 500 events of the creation. Events of a settled one are kept for 90 days, unless configured otherwise.")
            .ProducesProblems(ErrorCode.NotFound);
        projects.MapPost("/{slug}/approve", ApproveProject.HandleAsync).WithName("approveProject")
            .WithSummary("Approve the spec; a job creates the repository").ProducesProblems(ErrorCode.NotFound, ErrorCode.InvalidState)
            .WithDescription("GitHub is not called in the request, and nothing that it does undoes the approval: repoCreation tells how the job fares. "
                + "Approving again is fine. A project that has a repository already gets no job.");
        projects.MapPut("/{slug}/status", ChangeStatus.HandleAsync).WithName("changeStatus")
            .WithSummary("Move a project between review, active and complete").ProducesProblems(ErrorCode.NotFound, ErrorCode.InvalidState);
    }

    private static async Task<Results<Created<ProjectResponse>, ProblemHttpResult>> CreateAsync(
        CreateProjectRequest request, DataServiceDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        var name = request.Name.Trim();
        if (Slug.From(name) is not { } slug)
            return Problems.Invalid("name", "The name must contain a letter or a digit.");
        var project = Project.Create(name, slug, time.UtcNow);
        db.Add(project);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
        }
        catch (DbUpdateException exception) when (exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            // The driver repeats an insert whose answer was lost, and then meets its own row.
            if (!await db.Projects.AnyAsync(p => p.Id == project.Id, cancellationToken))
                return Problems.Conflict($"There is a project '{slug}' already; choose another name.");
        }

        return TypedResults.Created($"/projects/{slug}", ProjectResponse.From(project));
    }

    private static async Task<Results<Ok<ProjectResponse>, ProblemHttpResult>> GetAsync(string slug, DataServiceDbContext db, CancellationToken cancellationToken) =>
        await db.FindProjectAsync(slug, cancellationToken) is { } project ? TypedResults.Ok(ProjectResponse.From(project)) : Problems.NoSuchProject(slug);

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string slug, DataServiceDbContext db, AuditTrail audit, CancellationToken cancellationToken)
    {
        var deleted = await db.InTransactionAsync(async token =>
        {
            var project = await db.LockProjectAsync(slug, token);
            if (project is null)
                return null;
            audit.Record(db, AuditAction.DeleteProject, project, detail: project.GithubRepo);
            db.Remove(project);
            return project;
        }, cancellationToken);
        return deleted is null ? Problems.NoSuchProject(slug) : TypedResults.NoContent();
    }

    private static async Task<Results<Ok<ProjectResponse>, ProblemHttpResult>> ChooseRepositoryAsync(
        string slug, ChooseRepositoryRequest request, ProjectRepository repository, CancellationToken cancellationToken)
    {
        var fullName = request.GithubRepo;
        if (fullName is not null && !RepositoryName.IsFullName(fullName))
            return Problems.Invalid("githubRepo", "Give the repository as owner/name, or null for none.");
        return await repository.ChooseAsync(slug, fullName, cancellationToken) is { } changed
            ? TypedResults.Ok(ProjectResponse.From(changed))
            : Problems.NoSuchProject(slug);
    }
}

/// <param name="Name">What people call the project; its slug is made from it.</param>
public sealed record CreateProjectRequest(
    [property: Required(ErrorMessage = "Give the project a name."), StringLength(100, MinimumLength = 1, ErrorMessage = "The name must have 1 to 100 characters."), PrintableText]
    string Name) : IWithExample
{
    static object IWithExample.Example => new CreateProjectRequest("Acme Shop");
}

/// <param name="GithubRepo"><c>owner/name</c>, or null for none.</param>
public sealed record ChooseRepositoryRequest([property: JsonRequired] string? GithubRepo) : IWithExample
{
    static object IWithExample.Example => new ChooseRepositoryRequest("auditmos-projects/acme-shop");
}
