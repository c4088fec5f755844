using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace DataService.Data;

internal sealed class CreationEventConfiguration : IEntityTypeConfiguration<CreationEvent>
{
    public void Configure(EntityTypeBuilder<CreationEvent> happened)
    {
        happened.Property(e => e.Kind).HasConversion(new LowerCaseEnumConverter<CreationEventKind>()).HasMaxLength(20);
        happened.Property(e => e.Code)
            .HasConversion(kind => FailureKinds.ToCode(kind!.Value), code => FailureKinds.FromCode(code)).HasMaxLength(40);
        happened.HasIndex(e => new { e.ProjectId, e.Id });
        // For the retention.
        happened.HasIndex(e => e.At);
        happened.ToTable(table =>
            table.HasCheckConstraint("ck_creation_events_kind", LowerCaseEnumConverter<CreationEventKind>.Check("kind")));
    }
}
