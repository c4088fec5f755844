using DataService.Data;
using Hangfire.Common;
using Microsoft.Extensions.Caching.Memory;

namespace DataService.Jobs.Dashboard;

/// <summary>Names jobs for people. A job carries only its project's id; the slug of a project never changes, so it is kept.</summary>
internal sealed class JobNames(IServiceScopeFactory scopes) : IDisposable
{
    private readonly MemoryCache _slugs = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    /// <summary>Such as "Create repository for acme-shop-1a2b3c4d".</summary>
    public string Of(Job job) => (job.Type.Name, job.Args) switch
    {
        (nameof(CreateProjectRepoJob), [Guid projectId, ..]) => $"Create repository for {NameOf(projectId)}",
        (nameof(PushTasksJob), [Guid projectId, ..]) => $"Push the tasks of {NameOf(projectId)}",
        _ => job.ToString(),
    };

    public void Dispose() => _slugs.Dispose();

    private string NameOf(Guid projectId) => Slug(projectId) ?? $"deleted project {projectId}";

    private string? Slug(Guid projectId)
    {
        if (_slugs.TryGetValue(projectId, out string? known))
            return known;
        using var scope = scopes.CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<DataServiceDbContext>();
        return db.Projects.Where(p => p.Id == projectId).Select(p => p.Slug).SingleOrDefault() is { } slug
            ? _slugs.Set(projectId, slug, new MemoryCacheEntryOptions { Size = 1 })
            : null;
    }
}
