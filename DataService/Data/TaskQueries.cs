using DataService.Domain;
using Microsoft.EntityFrameworkCore;

namespace DataService.Data;

internal static class TaskQueries
{
    extension(DataServiceDbContext db)
    {
        /// <summary>
        /// The project's tasks in their order: equal ones stand in the order of their creation, which the id tells to the millisecond only.
        /// </summary>
        public IQueryable<ProjectTask> TasksOf(Project project) =>
            db.Tasks.Where(t => t.ProjectId == project.Id).OrderBy(t => t.SortOrder).ThenBy(t => t.CreatedAt).ThenBy(t => t.Id);

        /// <summary>
        /// Keeps the project at the repository until the transaction ends: what is written about its issues is then true of the repository
        /// that the project has.
        /// </summary>
        /// <returns>Whether the project has it; false also where the project is gone.</returns>
        public async Task<bool> HoldRepositoryAsync(Guid projectId, string repository, CancellationToken cancellationToken) =>
            await db.Database.SqlQuery<int>($"""SELECT 1 AS "Value" FROM projects WHERE id = {projectId} AND github_repo = {repository} FOR SHARE""")
                .ToListAsync(cancellationToken) is not [];

        /// <summary>
        /// Unlinks the tasks' issues that are not the repository's: the next push or sync links its own. What is done keeps the issue with
        /// which it was done: another one would be open.
        /// </summary>
        /// <param name="projectId">Locked.</param>
        /// <param name="repository">Full name of the one that the project gets.</param>
        /// <param name="isNew">Whether it may be another one than an earlier one of the same name, whose issues are not its own.</param>
        /// <param name="cancellationToken">Gives up waiting for the database.</param>
        public Task<int> UnlinkIssuesAsync(Guid projectId, string repository, bool isNew, CancellationToken cancellationToken)
        {
            var path = IssuesPath(repository);
            return db.Database.ExecuteSqlAsync(
                $"""
                 UPDATE tasks SET
                     github_issue_number = CASE WHEN status = {ProjectTask.Done} THEN github_issue_number END,
                     -- The address is another issue's now.
                     github_issue_url = CASE WHEN status = {ProjectTask.Done} AND NOT is_here THEN github_issue_url END
                 FROM (SELECT id AS linked, right(lower(github_issue_url), length({path} || github_issue_number)) = {path} || github_issue_number AS is_here
                       FROM tasks WHERE project_id = {projectId} AND github_issue_number IS NOT NULL) links
                 WHERE id = linked AND ({isNew} OR NOT is_here)
                 """, cancellationToken);
        }

        /// <summary>The project's repository bears another name now, and so do its issues' addresses.</summary>
        public Task<int> MoveIssuesAsync(Guid projectId, string knownAs, string fullName, CancellationToken cancellationToken)
        {
            var path = IssuesPath(knownAs);
            return db.Database.ExecuteSqlAsync(
                $"""
                 UPDATE tasks SET github_issue_url =
                     left(github_issue_url, -length({path} || github_issue_number)) || '/' || {fullName} || '/issues/' || github_issue_number
                 WHERE project_id = {projectId} AND right(lower(github_issue_url), length({path} || github_issue_number)) = {path} || github_issue_number
                 """, cancellationToken);
        }
    }

    /// <summary>As the addresses of its issues have it before their numbers, in lower case.</summary>
    private static string IssuesPath(string repository) => $"/{repository.ToLowerInvariant()}/issues/";
}
