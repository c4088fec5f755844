using DataService.Domain;

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
    }
}
