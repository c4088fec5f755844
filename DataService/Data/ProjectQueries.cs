using DataService.Domain;
using Microsoft.EntityFrameworkCore;

namespace DataService.Data;

internal static class ProjectQueries
{
    extension(DataServiceDbContext db)
    {
        /// <summary>The project for reading, with its creation; null when there is none, whatever the slug holds.</summary>
        public Task<Project?> FindProjectAsync(string slug, CancellationToken cancellationToken) =>
            db.Projects.AsNoTracking().Include(p => p.RepoCreation).FirstOrDefaultAsync(p => p.Slug == WithoutNul(slug), cancellationToken);

        /// <summary>The project for a change, with its creation; its row stays locked until the transaction ends.</summary>
        public Task<Project?> LockProjectAsync(string slug, CancellationToken cancellationToken)
        {
            var text = WithoutNul(slug);
            return LockedAsync(db.Projects.FromSql($"SELECT * FROM projects WHERE slug = {text} FOR UPDATE"), db, cancellationToken);
        }

        /// <inheritdoc cref="LockProjectAsync(DataServiceDbContext, string, CancellationToken)"/>
        public Task<Project?> LockProjectAsync(Guid id, CancellationToken cancellationToken) =>
            LockedAsync(db.Projects.FromSql($"SELECT * FROM projects WHERE id = {id} FOR UPDATE"), db, cancellationToken);
    }

    /// <summary>The database's clock, which all instances share; UTC.</summary>
    public static Task<DateTime> ClockAsync(this DataServiceDbContext db, CancellationToken cancellationToken) =>
        db.Database.SqlQuery<DateTime>($"""SELECT clock_timestamp() AS "Value" """).SingleAsync(cancellationToken);

    /// <summary>PostgreSQL has no NUL in text. No slug has one either, so the empty slug stands for all of them: it finds nothing.</summary>
    public static string WithoutNul(string slug) => slug.Contains('\0') ? "" : slug;

    extension(string text)
    {
        /// <summary>For LIKE: whatever has the text as a part.</summary>
        public string AsLikePattern() => $"%{text.Replace(@"\", @"\\").Replace("%", @"\%").Replace("_", @"\_")}%";
    }

    /// <summary>
    /// The creation is read after the lock is held: a joined read would show what stood there before the wait. It is locked too, against a
    /// bulk requeue, which locks creations alone.
    /// </summary>
    private static async Task<Project?> LockedAsync(IQueryable<Project> rows, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        var project = (await rows.AsTracking().ToListAsync(cancellationToken)).SingleOrDefault();
        if (project is not null)
            await db.RepoCreations.FromSql($"SELECT * FROM repo_creations WHERE project_id = {project.Id} FOR UPDATE").AsTracking().LoadAsync(cancellationToken);
        return project;
    }
}
