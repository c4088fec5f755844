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
        // The order of a list with a status. That of the others, and what searches for a text, is in the migration SearchTexts.
        project.HasIndex(p => new { p.Status, p.CreatedAt, p.Id }).IsDescending(false, true, true);
        project.ToTable(table => table.HasCheckConstraint("ck_projects_status", LowerCaseEnumConverter<ProjectStatus>.Check("status")));
        // What has to have a repository and has none: few, among very many.
        project.HasIndex(p => p.Id).HasDatabaseName("ix_projects_without_repository").HasFilter("approved_at IS NOT NULL AND github_repo IS NULL");
        project.HasIndex(p => p.GithubRepoId).HasFilter("github_repo_id IS NOT NULL");
        project.HasOne(p => p.RepoCreation).WithOne().HasForeignKey<RepoCreation>(c => c.ProjectId).OnDelete(DeleteBehavior.Cascade);
    }
}
