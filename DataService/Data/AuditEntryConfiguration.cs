using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace DataService.Data;

/// <summary>No foreign key: an entry outlives its project. A trigger, which stands in the migration, refuses changes.</summary>
internal sealed class AuditEntryConfiguration : IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<AuditEntry> entry)
    {
        entry.Property(e => e.Origin).HasConversion(new LowerCaseEnumConverter<AuditOrigin>()).HasMaxLength(20);
        entry.Property(e => e.Action).HasConversion(new LowerCaseEnumConverter<AuditAction>()).HasMaxLength(30);
        entry.Property(e => e.Slug).HasMaxLength(Slug.MaxLength);
        // Each filter of the list, in its order; newest first is a walk backwards.
        entry.HasIndex(e => new { e.Action, e.At, e.Id });
        entry.HasIndex(e => new { e.Actor, e.At, e.Id });
        entry.HasIndex(e => new { e.Slug, e.Id }).HasFilter("slug IS NOT NULL");
        entry.HasIndex(e => new { e.ProjectId, e.Id }).HasFilter("project_id IS NOT NULL");
        entry.HasIndex(e => new { e.At, e.Id });
        entry.ToTable(table =>
        {
            table.HasCheckConstraint("ck_audit_entries_origin", LowerCaseEnumConverter<AuditOrigin>.Check("origin"));
            table.HasCheckConstraint("ck_audit_entries_action", LowerCaseEnumConverter<AuditAction>.Check("action"));
        });
    }
}
