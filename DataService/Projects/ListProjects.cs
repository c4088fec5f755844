using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace DataService.Projects;

/// <summary>One page of the projects, newest first. Every order and filter has an index; a page is read from the nearer end.</summary>
internal static class ListProjects
{
    public static async Task<Ok<Page<ProjectResponse>>> HandleAsync(
        DataServiceDbContext db,
        CancellationToken cancellationToken,
        [Description("Projects on a page."), Range(1, 100, ErrorMessage = "limit must be from 1 to 100.")] int limit = 10,
        [Description("Projects to skip."), Range(0, int.MaxValue, ErrorMessage = "offset must be 0 or more.")] int offset = 0,
        [Description("Only projects in this status.")]
        [AllowedValues("interviewing", "review", "active", "complete", null,
            ErrorMessage = "status must be one of interviewing, review, active, complete.")]
        string? status = null,
        [Description("A part of the name or the slug."), PrintableText, MaxLength(Project.MaxNameLength, ErrorMessage = "q must have at most 100 characters.")] string? q = null)
    {
        var matching = Matching(db, status, q);
        var total = await matching.CountAsync(cancellationToken);
        var count = Math.Min(limit, total - offset);
        var projects = count <= 0 ? [] : await ReadAsync(matching, offset, count, total, cancellationToken);
        return TypedResults.Ok(new Page<ProjectResponse>(
            [.. projects.Select(ProjectResponse.From)],
            new Pagination(total, limit, offset, HasMore: total - offset > limit)));
    }

    private static IQueryable<Project> Matching(DataServiceDbContext db, string? status, string? q)
    {
        var matching = string.IsNullOrEmpty(q)
            ? db.Projects.AsNoTracking()
            : db.Projects.FromSql($"SELECT * FROM projects WHERE search_text LIKE lower({q.AsLikePattern()})").AsNoTracking();
        if (status is not null)
        {
            var wanted = Enum.Parse<ProjectStatus>(status, ignoreCase: true);
            matching = matching.Where(p => p.Status == wanted);
        }

        return matching;
    }

    /// <summary>PostgreSQL walks over all that an OFFSET skips; from the other end, the last page skips nothing.</summary>
    private static async Task<Project[]> ReadAsync(
        IQueryable<Project> matching, int offset, int count, int total, CancellationToken cancellationToken)
    {
        var behind = total - offset - count;
        if (offset <= behind)
        {
            return await matching.OrderByDescending(p => p.CreatedAt).ThenByDescending(p => p.Id).Skip(offset).Take(count)
                .Include(p => p.RepoCreation).ToArrayAsync(cancellationToken);
        }

        var oldestFirst = await matching.OrderBy(p => p.CreatedAt).ThenBy(p => p.Id).Skip(behind).Take(count)
            .Include(p => p.RepoCreation).ToArrayAsync(cancellationToken);
        Array.Reverse(oldestFirst);
        return oldestFirst;
    }
}
