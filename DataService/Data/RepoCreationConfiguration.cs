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
        creation.Ignore(c => c.IsLive);
        creation.ToTable(table => table.HasCheckConstraint("ck_repo_creations_state", LowerCaseEnumConverter<RepoCreationState>.Check("state")));
    }
}
