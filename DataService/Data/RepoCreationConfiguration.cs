using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace DataService.Data;

internal sealed class RepoCreationConfiguration : IEntityTypeConfiguration<RepoCreation>
{
    public void Configure(EntityTypeBuilder<RepoCreation> creation)
    {
        creation.HasKey(c => c.ProjectId);
        creation.Property(c => c.ProjectId).ValueGeneratedNever();
        creation.Property(c => c.State).HasConversion(new LowerCaseEnumConverter<RepoCreationState>()).HasMaxLength(20);
        creation.Property(c => c.ErrorCode).HasConversion(kind => FailureKinds.ToCode(kind!.Value), code => FailureKinds.FromCode(code)).HasMaxLength(40);
        creation.Property(c => c.RepositoryName).HasMaxLength(RepositoryName.MaxLength);
        creation.HasIndex(c => c.JobId).IsUnique();
        // Lists and bulk requeues go through one state, or one code of it, in the order of time; counts by code need the index alone. The migration
        // SearchTexts adds those of the states, which include the texts that are searched.
        creation.HasIndex(c => new { c.State, c.ErrorCode, c.UpdatedAt, c.ProjectId }).HasFilter("state IN ('failed', 'retrying')");
        creation.HasIndex(c => new { c.UpdatedAt, c.ProjectId }).HasDatabaseName("ix_repo_creations_without_code").HasFilter("state = 'failed' AND error_code IS NULL");
        creation.HasIndex(c => c.GithubError).HasDatabaseName("ix_repo_creations_github_error_trigram").HasMethod("gin").HasOperators("gin_trgm_ops").HasFilter("github_error IS NOT NULL");
        creation.Property(c => c.WaitsFor).HasConversion(new LowerCaseEnumConverter<WaitReason>()).HasMaxLength(20);
        creation.HasIndex(c => c.WaitsFor).HasFilter("waits_for IS NOT NULL");
        creation.Property(c => c.NotedWait).HasConversion(new LowerCaseEnumConverter<WaitReason>()).HasMaxLength(20);
        creation.Ignore(c => c.IsLive);
        creation.HasMany(c => c.Events).WithOne().HasForeignKey(e => e.ProjectId).OnDelete(DeleteBehavior.Cascade);
        creation.ToTable(table =>
        {
            table.HasCheckConstraint("ck_repo_creations_state", LowerCaseEnumConverter<RepoCreationState>.Check("state"));
            table.HasCheckConstraint("ck_repo_creations_waits_for", LowerCaseEnumConverter<WaitReason>.Check("waits_for"));
            table.HasCheckConstraint("ck_repo_creations_noted_wait", LowerCaseEnumConverter<WaitReason>.Check("noted_wait"));
            // With the key, the project's, and the index above: a project has one live job, and a job serves one project.
            table.HasCheckConstraint("ck_repo_creations_live_has_job", "state NOT IN ('queued', 'creating', 'retrying') OR job_id IS NOT NULL");
        });
    }
}
