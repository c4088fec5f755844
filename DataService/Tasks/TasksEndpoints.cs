using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace DataService.Tasks;

internal static class TasksEndpoints
{
    public static void MapTasks(this IEndpointRouteBuilder app)
    {
        var tasks = app.MapGroup("/projects/{slug}/tasks").WithTags("Tasks").ProducesProblems(ErrorCode.NotFound);
        tasks.MapGet("", ListAsync).WithName("listTasks").WithSummary("List a project's tasks in their order");
        tasks.MapPost("", CreateAsync).WithName("createTask").WithSummary("Add a task, behind the others unless told where");
        tasks.MapPut("/reorder", ReorderTasks.HandleAsync).WithName("reorderTasks").WithSummary("Put the listed tasks first, in this order")
            .WithDescription("All or nothing. Tasks that are not listed follow, in their order among themselves.");
        // What is no uuid is no task's address: 404 from the routing.
        tasks.MapPatch("/{taskId:guid}", UpdateAsync).WithName("updateTask").WithSummary("Change what is given of a task")
            .WithDescription("What is absent stays as it is; a description of null clears it.");
        tasks.MapDelete("/{taskId:guid}", DeleteAsync).WithName("deleteTask").WithSummary("Delete a task; its issue stays");
    }

    private static async Task<Results<Ok<TaskResponse[]>, ProblemHttpResult>> ListAsync(
        string slug, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        if (await db.FindProjectAsync(slug, cancellationToken) is not { } project)
            return Problems.NoSuchProject(slug);
        var tasks = await db.TasksOf(project).AsNoTracking().ToListAsync(cancellationToken);
        return TypedResults.Ok<TaskResponse[]>([.. tasks.Select(TaskResponse.From)]);
    }

    private static async Task<Results<Created<TaskResponse>, ProblemHttpResult>> CreateAsync(
        string slug, CreateTaskRequest request, DataServiceDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        var created = await db.InTransactionAsync(async token =>
        {
            // The project's lock lines all changes of its tasks up: each append finds the place of the one before.
            if (await db.LockProjectAsync(slug, token) is not { } project)
                return null;
            var last = await db.Tasks.Where(t => t.ProjectId == project.Id).MaxAsync(t => (int?)t.SortOrder, token);
            var task = ProjectTask.Create(project.Id, request.Title, request.Description, request.SortOrder ?? Next(last), time.UtcNow);
            db.Add(task);
            return task;
        }, cancellationToken);
        return created is null
            ? Problems.NoSuchProject(slug)
            : TypedResults.Created($"/projects/{slug}/tasks/{created.Id}", TaskResponse.From(created));
    }

    private static async Task<Results<Ok<TaskResponse>, ProblemHttpResult>> UpdateAsync(
        string slug, Guid taskId, UpdateTaskRequest request, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        var updated = await db.InTransactionAsync(async token =>
        {
            var task = await LockTaskAsync(db, slug, taskId, token);
            if (request.Title is { } title)
                task?.Rename(title);
            if (request.HasDescription)
                task?.Describe(request.Description);
            if (request.Status is { } status)
                task?.ChangeStatus(status);
            return task;
        }, cancellationToken);
        return updated is null ? NoSuchTask(taskId) : TypedResults.Ok(TaskResponse.From(updated));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string slug, Guid taskId, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        var deleted = await db.InTransactionAsync(async token =>
        {
            var task = await LockTaskAsync(db, slug, taskId, token);
            if (task is not null)
                db.Remove(task);
            return task;
        }, cancellationToken);
        return deleted is null ? NoSuchTask(taskId) : TypedResults.NoContent();
    }

    /// <summary>The task for a change, its project locked; null when it is not this project's.</summary>
    private static async Task<ProjectTask?> LockTaskAsync(
        DataServiceDbContext db, string slug, Guid taskId, CancellationToken cancellationToken) =>
        await db.LockProjectAsync(slug, cancellationToken) is { } project
            ? await db.Tasks.SingleOrDefaultAsync(t => t.Id == taskId && t.ProjectId == project.Id, cancellationToken)
            : null;

    /// <summary>The place behind the last. Where no number is left, the last one's own: of equals, the later one stands behind.</summary>
    private static int Next(int? last) => last switch
    {
        null => 0,
        int.MaxValue => int.MaxValue,
        { } place => place + 1,
    };

    private static ProblemHttpResult NoSuchTask(Guid taskId) => Problems.NotFound($"There is no task {taskId} in this project.");
}

public sealed record CreateTaskRequest : IWithExample
{
    static object IWithExample.Example => new CreateTaskRequest { Title = "Build the basket", Description = "Keeps what was put into it." };

    /// <summary>What is to be done; spaces around it are not kept.</summary>
    [Required(ErrorMessage = "Give the task a title."), PrintableText]
    [StringLength(ProjectTask.MaxTitleLength, MinimumLength = 1, ErrorMessage = "The title must have 1 to 200 characters.")]
    public string Title { get; init => field = value?.Trim() ?? ""; } = "";

    [PrintableText(Multiline = true)]
    [MaxLength(ProjectTask.MaxDescriptionLength, ErrorMessage = "The description must have at most 60000 characters.")]
    public string? Description { get; init; }

    /// <summary>The place in the list, ascending; behind all others when left out.</summary>
    [Range(0, int.MaxValue, ErrorMessage = "sortOrder must be 0 or more.")]
    public int? SortOrder { get; init; }
}

/// <summary>What is absent stays as it is.</summary>
public sealed record UpdateTaskRequest : IWithExample
{
    static object IWithExample.Example => new UpdateTaskRequest { Title = "Build the basket", Description = null, Status = ProjectTask.Done };

    /// <summary>What is to be done; spaces around it are not kept.</summary>
    // Null stands for absent. A null that was sent is an empty text, and refused as one.
    [DisallowNull, PrintableText]
    [StringLength(ProjectTask.MaxTitleLength, MinimumLength = 1, ErrorMessage = "The title must have 1 to 200 characters.")]
    public string? Title { get; init => field = value?.Trim() ?? ""; }

    /// <summary>Null clears it.</summary>
    [PrintableText(Multiline = true)]
    [MaxLength(ProjectTask.MaxDescriptionLength, ErrorMessage = "The description must have at most 60000 characters.")]
    public string? Description
    {
        get;
        init => (field, HasDescription) = (value, true);
    }

    /// <summary>Any word; <c>pending</c> and <c>done</c> are what open and closed issues mean.</summary>
    [DisallowNull, PrintableText]
    [StringLength(ProjectTask.MaxStatusLength, MinimumLength = 1, ErrorMessage = "The status must have 1 to 50 characters.")]
    public string? Status { get; init => field = value?.Trim() ?? ""; }

    /// <summary>Tells a description that is absent from one that is null.</summary>
    internal bool HasDescription { get; private init; }
}
