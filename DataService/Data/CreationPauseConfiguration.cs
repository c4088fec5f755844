using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace DataService.Data;

internal sealed class CreationPauseConfiguration : IEntityTypeConfiguration<CreationPause>
{
    public void Configure(EntityTypeBuilder<CreationPause> pause)
    {
        pause.ToTable("creation_pause", table => table.HasCheckConstraint("ck_creation_pause_only_one", $"id = {CreationPause.OnlyId}"));
        pause.Property(p => p.Id).ValueGeneratedNever();
        pause.Property(p => p.Code).HasConversion(kind => FailureKinds.ToCode(kind!.Value), code => FailureKinds.FromCode(code)).HasMaxLength(40);
        pause.Property(p => p.Credential).HasMaxLength(32);
    }
}
