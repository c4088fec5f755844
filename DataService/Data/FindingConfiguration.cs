using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace DataService.Data;

internal sealed class FindingConfiguration : IEntityTypeConfiguration<Finding>
{
    public void Configure(EntityTypeBuilder<Finding> finding)
    {
        finding.Property(f => f.Kind).HasConversion(new LowerCaseEnumConverter<FindingKind>()).HasMaxLength(20);
        finding.HasIndex(f => new { f.Kind, f.Subject }).IsUnique().HasFilter("settled_at IS NULL");
        finding.HasIndex(f => f.SettledAt);
        finding.ToTable(table => table.HasCheckConstraint("ck_findings_kind", LowerCaseEnumConverter<FindingKind>.Check("kind")));
    }
}
