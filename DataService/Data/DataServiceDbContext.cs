using DataService.Domain;
using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace DataService.Data;

internal sealed class DataServiceDbContext(DbContextOptions<DataServiceDbContext> options) : DbContext(options), IDataProtectionKeyContext
{
    public DbSet<Project> Projects => Set<Project>();
    public DbSet<Spec> Specs => Set<Spec>();
    public DbSet<RepoCreation> RepoCreations => Set<RepoCreation>();

    /// <summary>The key ring of the dashboard's cookies, shared by all instances; its keys are stored encrypted.</summary>
    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(DataServiceDbContext).Assembly);
}
