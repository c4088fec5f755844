using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace DataService.Data;

internal sealed class MessageConfiguration : IEntityTypeConfiguration<Message>
{
    public void Configure(EntityTypeBuilder<Message> message)
    {
        message.Property(m => m.Id).ValueGeneratedNever();
        message.Property(m => m.Role).HasConversion(new LowerCaseEnumConverter<MessageRole>()).HasMaxLength(20);
        message.Property(m => m.Phase).HasMaxLength(Message.MaxPhaseLength);
        message.ToTable(table => table.HasCheckConstraint("ck_messages_role", LowerCaseEnumConverter<MessageRole>.Check("role")));
        message.HasOne<Project>().WithMany().HasForeignKey(m => m.ProjectId).OnDelete(DeleteBehavior.Cascade);
        message.HasIndex(m => new { m.ProjectId, m.CreatedAt, m.Id });
    }
}
