using System.ComponentModel.DataAnnotations;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace DataService.Messages;

internal sealed record MessageResponse(Guid Id, Guid ProjectId, MessageRole Role, string Content, string? Phase, DateTime CreatedAt) : IWithExample
{
    public static object Example => new MessageResponse(
        Guid.Parse("01997a2e-0000-7000-8000-000000000004"), Guid.Parse("01997a2e-0000-7000-8000-000000000001"), MessageRole.User, "We sell boats.", "goals",
        new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc));

    public static MessageResponse From(Message message) =>
        new(message.Id, message.ProjectId, message.Role, message.Content, message.Phase, message.CreatedAt);
}

internal sealed record MessagesResponse(IReadOnlyList<MessageResponse> Data) : IWithExample
{
    static object IWithExample.Example => new MessagesResponse([(MessageResponse)MessageResponse.Example]);
}

/// <param name="Role">Who speaks.</param>
/// <param name="Content">What was said, as it was said: a text of spaces alone is one too.</param>
/// <param name="Phase">The part of the interview that it belongs to.</param>
public sealed record CreateMessageRequest(
    [property: Required(ErrorMessage = "Give the role."),
        AllowedValues("user", "assistant", "system", ErrorMessage = "role must be one of user, assistant, system.")]
    string Role,
    [property: Required(AllowEmptyStrings = true, ErrorMessage = "Give the message's text."),
        MinLength(1, ErrorMessage = "Give the message's text."),
        PrintableText(Multiline = true)]
    string Content,
    [property: MaxLength(Message.MaxPhaseLength, ErrorMessage = "The phase must have at most 50 characters."), PrintableText]
    string? Phase = null) : IWithExample
{
    static object IWithExample.Example => new CreateMessageRequest("user", "We sell boats.", "goals");
}

internal static class MessagesEndpoints
{
    public static void MapMessages(this IEndpointRouteBuilder app)
    {
        var messages = app.MapGroup("/projects/{slug}/messages").WithTags("Messages").ProducesProblems(ErrorCode.NotFound);
        messages.MapGet("", ListAsync).WithName("listMessages").WithSummary("List the interview's messages, oldest first");
        messages.MapPost("", CreateAsync).WithName("createMessage").WithSummary("Add a message to the interview");
    }

    private static async Task<Results<Ok<MessagesResponse>, ProblemHttpResult>> ListAsync(
        string slug, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        if (await db.FindProjectAsync(slug, cancellationToken) is not { } project)
            return Problems.NoSuchProject(slug);
        var messages = await db.Messages.AsNoTracking().Where(m => m.ProjectId == project.Id)
            .OrderBy(m => m.CreatedAt).ThenBy(m => m.Id).ToListAsync(cancellationToken);
        return TypedResults.Ok(new MessagesResponse([.. messages.Select(MessageResponse.From)]));
    }

    private static async Task<Results<Created<MessageResponse>, ProblemHttpResult>> CreateAsync(
        string slug, CreateMessageRequest request, DataServiceDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        var role = Enum.Parse<MessageRole>(request.Role, ignoreCase: true);
        var created = await db.InTransactionAsync(async token =>
        {
            // Locked, so that the project is not deleted meanwhile, and nobody reads a message before one that is older.
            if (await db.LockProjectAsync(slug, token) is not { } project)
                return null;
            var message = Message.Create(project.Id, role, request.Content, request.Phase, time.UtcNow);
            db.Add(message);
            return message;
        }, cancellationToken);
        return created is null
            ? Problems.NoSuchProject(slug)
            : TypedResults.Created($"/projects/{slug}/messages", MessageResponse.From(created));
    }
}
