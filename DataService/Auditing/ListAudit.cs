using System.Buffers.Binary;
using System.Buffers.Text;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace DataService.Auditing;

/// <param name="Id">Grows with time.</param>
/// <param name="At">When.</param>
/// <param name="Actor">Who.</param>
/// <param name="Origin">From where: <c>rest</c>, <c>dashboard</c>, <c>script</c> or <c>service</c>.</param>
/// <param name="Action">What.</param>
/// <param name="ProjectId">The one project that it is about, which may be gone.</param>
/// <param name="Slug">The project's.</param>
/// <param name="Count">How many projects or jobs it changed.</param>
/// <param name="Reason">Why, in the caller's own words.</param>
/// <param name="Detail">What exactly, for people.</param>
/// <param name="RequestId">The <c>X-Request-Id</c> of the request.</param>
internal sealed record AuditEntryResponse(
    long Id, DateTime At, string Actor, string Origin, string Action, Guid? ProjectId, string? Slug, int Count, string? Reason, string? Detail,
    string? RequestId)
    : IWithExample
{
    public static object Example => new AuditEntryResponse(
        7, new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc), "api", "rest", "approve", Guid.Parse("01997a2e-0000-7000-8000-000000000001"),
        "acme-shop", 1, null, null, "0199c2f0a1b27c3d8e4f5a6b7c8d9e0f");

    public static AuditEntryResponse From(AuditEntry entry) => new(
        entry.Id, entry.At, entry.Actor, Words<AuditOrigin>.Of(entry.Origin), Words<AuditAction>.Of(entry.Action), entry.ProjectId,
        entry.Slug, entry.Count, entry.Reason, entry.Detail, entry.RequestId);
}

/// <param name="Data">Newest first.</param>
/// <param name="NextCursor">Leads to the next page; null on the last one.</param>
internal sealed record AuditResponse(IReadOnlyList<AuditEntryResponse> Data, string? NextCursor) : IWithExample
{
    static object IWithExample.Example => new AuditResponse([(AuditEntryResponse)AuditEntryResponse.Example], null);
}

/// <summary>One page of the audit. Pages go by the time and the id, so that new entries move nothing, and each filter has an index in that order.</summary>
internal static class ListAudit
{
    public static async Task<Results<Ok<AuditResponse>, ProblemHttpResult>> HandleAsync(
        DataServiceDbContext db,
        TimeProvider time,
        CancellationToken cancellationToken,
        [Description("Only this action."), OneOfTheWords<AuditAction>] string? action = null,
        [Description("Only this caller."), PrintableText, MaxLength(200, ErrorMessage = "actor must have at most 200 characters.")] string? actor = null,
        [Description("Only this project, be it gone."), PrintableText, MaxLength(100, ErrorMessage = "slug must have at most 100 characters.")] string? slug = null,
        [Description($"Not before: {Instants.Form}.")] string? since = null,
        [Description("Before: as since.")] string? until = null,
        [Description("Entries on a page."), Range(1, 100, ErrorMessage = "limit must be from 1 to 100.")] int limit = 50,
        [Description("nextCursor of the page before."), MaxLength(100, ErrorMessage = "Give the nextCursor of an answer of this list.")] string? cursor = null)
    {
        if (Instants.Refuse(nameof(since), since, time.UtcNow, out var from) is { } unfitSince)
            return unfitSince;
        if (Instants.Refuse(nameof(until), until, time.UtcNow, out var end) is { } unfitUntil)
            return unfitUntil;
        var matching = db.AuditEntries.AsNoTracking();
        if (!string.IsNullOrEmpty(cursor))
        {
            if (Before(cursor) is not { } before)
                return Problems.Invalid("cursor", "Give the nextCursor of an answer of this list.");
            matching = matching.Where(entry => EF.Functions.LessThan(ValueTuple.Create(entry.At, entry.Id), ValueTuple.Create(before.At, before.Id)));
        }

        if (action is not null)
        {
            var wanted = Words<AuditAction>.Parse(action);
            matching = matching.Where(entry => entry.Action == wanted);
        }

        if (!string.IsNullOrEmpty(actor))
            matching = matching.Where(entry => entry.Actor == actor);
        if (!string.IsNullOrEmpty(slug))
            matching = matching.Where(entry => entry.Slug == slug);
        if (from is not null)
            matching = matching.Where(entry => entry.At >= from);
        if (end is not null)
            matching = matching.Where(entry => entry.At < end);
        // One more than asked for tells whether there is a next page.
        var entries = await matching.OrderByDescending(entry => entry.At).ThenByDescending(entry => entry.Id).Take(limit + 1).ToListAsync(cancellationToken);
        var page = entries.Take(limit).Select(AuditEntryResponse.From).ToList();
        return TypedResults.Ok(new AuditResponse(page, entries.Count > limit ? Cursor(page[^1]) : null));
    }

    private static string Cursor(AuditEntryResponse entry)
    {
        Span<byte> bytes = stackalloc byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, entry.At.Ticks);
        BinaryPrimitives.WriteInt64BigEndian(bytes[sizeof(long)..], entry.Id);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Where the page before ended; null where the text is no cursor.</summary>
    private static (DateTime At, long Id)? Before(string cursor)
    {
        Span<byte> bytes = stackalloc byte[2 * sizeof(long)];
        if (!Base64Url.IsValid(cursor, out var length) || length != bytes.Length || !Base64Url.TryDecodeFromChars(cursor, bytes, out _))
            return null;
        var ticks = BinaryPrimitives.ReadInt64BigEndian(bytes);
        return ticks >= DateTime.MinValue.Ticks && ticks <= DateTime.MaxValue.Ticks
            ? (new DateTime(ticks, DateTimeKind.Utc), BinaryPrimitives.ReadInt64BigEndian(bytes[sizeof(long)..]))
            : null;
    }
}
