using System.ComponentModel.DataAnnotations;
using DataService.Data;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace DataService.Tasks;

/// <param name="TaskIds">The tasks in their new order. Those that are not listed follow, in their order among themselves.</param>
public sealed record ReorderTasksRequest(
    [property: Required(ErrorMessage = "List the ids of the tasks."), MinLength(1, ErrorMessage = "List at least one task.")]
    Guid[] TaskIds) : IWithExample
{
    static object IWithExample.Example => new ReorderTasksRequest([Guid.Parse("01997a2e-0000-7000-8000-000000000003")]);
}

/// <summary>
/// Numbers all tasks of a project anew from 0: the listed ones first and as listed, the others behind them. The frontend lists
/// all that it shows; a task that was added meanwhile is then the last, as it was.
/// </summary>
internal static class ReorderTasks
{
    public static async Task<Results<Ok<TaskResponse[]>, ProblemHttpResult>> HandleAsync(
        string slug, ReorderTasksRequest request, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        if (request.TaskIds.Distinct().Count() < request.TaskIds.Length)
            return Problems.Invalid("taskIds", "List each task once.");
        var tasks = await db.InTransactionAsync(async token =>
        {
            if (await db.LockProjectAsync(slug, token) is not { } project)
                return null;
            var moved = await db.Database.ExecuteSqlAsync(
                $"""
                WITH own AS (
                    SELECT id, sort_order, created_at FROM tasks WHERE project_id = {project.Id}
                ), listed AS (
                    SELECT id, place FROM unnest({request.TaskIds}) WITH ORDINALITY AS list (id, place)
                ), numbered AS (
                    SELECT own.id, row_number() OVER (ORDER BY place NULLS LAST, sort_order, created_at, own.id) - 1 AS sort_order
                    FROM own LEFT JOIN listed ON listed.id = own.id
                )
                UPDATE tasks SET sort_order = numbered.sort_order FROM numbered
                WHERE tasks.id = numbered.id AND NOT EXISTS (SELECT FROM listed WHERE id NOT IN (SELECT id FROM own))
                """,
                token);
            return moved is 0 ? [] : await db.TasksOf(project).AsNoTracking().ToListAsync(token);
        }, cancellationToken);
        return tasks switch
        {
            null => Problems.NoSuchProject(slug),
            [] => Problems.Invalid("taskIds", "List tasks of this project only."),
            _ => TypedResults.Ok<TaskResponse[]>([.. tasks.Select(TaskResponse.From)]),
        };
    }
}
