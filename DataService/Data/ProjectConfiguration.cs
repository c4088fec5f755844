using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace DataService.Data;

internal sealed class ProjectConfiguration : IEntityTypeConfiguration<Project>
{
    public void Configure(EntityTypeBuilder<Project> project)
    {
        project.Property(p => p.Id).ValueGeneratedNever();
        project.Property(p => p.Name).HasMaxLength(Project.MaxNameLength);
        project.Property(p => p.Slug).HasMaxLength(Slug.MaxLength);
        project.Property(p => p.Status).HasConversion(new LowerCaseEnumConverter<ProjectStatus>()).HasMaxLength(20);
        project.HasIndex(p => p.Slug).IsUnique();
        project.HasIndex(p => new { p.CreatedAt, p.Id }).IsDescending();
        // The order of every list: with and without a status.
        project.HasIndex(p => new { p.Status, p.CreatedAt, p.Id }).IsDescending(false, true, true);
        // Serve ILIKE '%part%'.
        project.HasIndex(p => p.Name, "NameParts").HasDatabaseName("ix_projects_name_trigram").HasMethod("gin").HasOperators("gin_trgm_ops");
        project.HasIndex(p => p.Slug, "SlugParts").HasDatabaseName("ix_projects_slug_trigram").HasMethod("gin").HasOperators("gin_trgm_ops");
        project.ToTable(table => table.HasCheckConstraint("ck_projects_status", LowerCaseEnumConverter<ProjectStatus>.Check("status")));
        // What has to have a repository and has none: few, among very many.
        project.HasIndex(p => p.Id).HasDatabaseName("ix_projects_without_repository").HasFilter("approved_at IS NOT NULL AND github_repo IS NULL");
        project.HasIndex(p => p.GithubRepoId).HasFilter("github_repo_id IS NOT NULL");
        project.HasOne(p => p.RepoCreation).WithOne().HasForeignKey<RepoCreation>(c => c.ProjectId).OnDelete(DeleteBehavior.Cascade);
    }
}
