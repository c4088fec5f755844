using DataService.Domain;
using Microsoft.AspNetCore.DataProtection.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace DataService.Data;

internal sealed class DataServiceDbContext(DbContextOptions<DataServiceDbContext> options) : DbContext(options), IDataProtectionKeyContext
{
    public DbSet<Project> Projects => Set<Project>();
    public DbSet<Spec> Specs => Set<Spec>();
    public DbSet<ProjectTask> Tasks => Set<ProjectTask>();
    public DbSet<Message> Messages => Set<Message>();
    public DbSet<RepoCreation> RepoCreations => Set<RepoCreation>();
    public DbSet<GitHubQuota> GitHubQuotas => Set<GitHubQuota>();
    public DbSet<ContentCall> ContentCalls => Set<ContentCall>();
    public DbSet<CreationPause> CreationPauses => Set<CreationPause>();
    public DbSet<Finding> Findings => Set<Finding>();
    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();
    public DbSet<CreationEvent> CreationEvents => Set<CreationEvent>();

    /// <summary>The key ring of the dashboard's cookies, shared by all instances; its keys are stored encrypted.</summary>
    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    /// <summary>Names each configuration: to look for them goes through every type of the service, and loads what those refer to.</summary>
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder
        // A trusted extension: the database's owner may add it.
        .HasPostgresExtension("pg_trgm")
        .ApplyConfiguration(new ProjectConfiguration())
        .ApplyConfiguration(new SpecConfiguration())
        .ApplyConfiguration(new TaskConfiguration())
        .ApplyConfiguration(new MessageConfiguration())
        .ApplyConfiguration(new RepoCreationConfiguration())
        .ApplyConfiguration(new CreationEventConfiguration())
        .ApplyConfiguration(new CreationPauseConfiguration())
        .ApplyConfiguration<GitHubQuota>(new GitHubQuotaConfiguration())
        .ApplyConfiguration<ContentCall>(new GitHubQuotaConfiguration())
        .ApplyConfiguration(new FindingConfiguration())
        .ApplyConfiguration(new AuditEntryConfiguration());
}
