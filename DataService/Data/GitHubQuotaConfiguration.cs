using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace DataService.Data;

internal sealed class GitHubQuotaConfiguration : IEntityTypeConfiguration<GitHubQuota>, IEntityTypeConfiguration<ContentCall>
{
    private const int CredentialLength = 32;

    public void Configure(EntityTypeBuilder<GitHubQuota> quota)
    {
        // EF's convention would name the table by the letters: git_hub_quotas.
        quota.ToTable("github_quotas");
        quota.HasKey(q => q.Credential);
        quota.Property(q => q.Credential).HasMaxLength(CredentialLength);
    }

    public void Configure(EntityTypeBuilder<ContentCall> call)
    {
        call.Property(c => c.Credential).HasMaxLength(CredentialLength);
        call.HasIndex(c => new { c.Credential, c.At });
    }
}
