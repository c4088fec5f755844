using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using DataService.Data;
using DataService.Domain;
using Microsoft.EntityFrameworkCore;

namespace DataService.Jobs.Requeue;

/// <param name="Slug">The project's.</param>
/// <param name="Name">The project's.</param>
/// <param name="ProjectId">The project's.</param>
/// <param name="State">Where the creation stands.</param>
/// <param name="JobId">Hangfire's.</param>
/// <param name="Attempts">Executions so far.</param>
/// <param name="ErrorCode">Of the last failure.</param>
/// <param name="GithubStatus">GitHub's HTTP status.</param>
/// <param name="GithubError">GitHub's own text.</param>
/// <param name="NextAttemptAt">UTC.</param>
/// <param name="WaitsFor">Why a live one lets time pass.</param>
/// <param name="UpdatedAt">UTC.</param>
internal sealed record ListedCreation(
    string Slug, string Name, Guid ProjectId, RepoCreationState State, string? JobId, int Attempts, string? ErrorCode, int? GithubStatus, string? GithubError,
    DateTime? NextAttemptAt, WaitReason? WaitsFor, DateTime UpdatedAt);

/// <param name="Code">The contract's, or <see cref="CreationFilter.NoCode"/>.</param>
/// <param name="Count">Failed creations with it.</param>
/// <param name="FirstAt">When the one that has failed for the longest time did so; UTC.</param>
/// <param name="LatestAt">When the last one did so; UTC.</param>
internal sealed record FailureGroup(string Code, int Count, DateTime FirstAt, DateTime LatestAt);

/// <summary>A place in the list: what follows it is older, or as old with a lesser id.</summary>
/// <param name="UpdatedAt">UTC.</param>
/// <param name="ProjectId">Breaks ties.</param>
internal readonly record struct CreationCursor(DateTime UpdatedAt, Guid ProjectId)
{
    private const int Length = sizeof(long) + 16;

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, UpdatedAt.Ticks);
        ProjectId.TryWriteBytes(bytes[sizeof(long)..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <returns>Null where the text is no cursor.</returns>
    public static CreationCursor? Parse(string text)
    {
        Span<byte> bytes = stackalloc byte[Length];
        if (text.Length != Base64Url.GetEncodedLength(Length) || !Base64Url.IsValid(text) || !Base64Url.TryDecodeFromChars(text, bytes, out var read) || read is not Length)
            return null;
        var ticks = BinaryPrimitives.ReadInt64BigEndian(bytes);
        return ticks >= DateTime.MinValue.Ticks && ticks <= DateTime.MaxValue.Ticks
            ? new CreationCursor(new DateTime(ticks, DateTimeKind.Utc), new Guid(bytes[sizeof(long)..]))
            : null;
    }
}

/// <summary>Lists creations and counts failures, for people; as fast among a million as among ten.</summary>
[SuppressMessage("Security", "EF1002", Justification = "Only constants are put together; values are parameters.")]
internal sealed class CreationSearch(DataServiceDbContext db)
{
    private (CreationFilter Filter, FilterSql Sql)? _prepared;

    /// <summary>One page, last changed first. A creation that changes moves to the front; all others keep their places.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="after">Where the page before ended; null for the first page.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Gives up waiting for the database.</param>
    /// <returns>The page, and where it ends; null where nothing follows.</returns>
    public async Task<(IReadOnlyList<ListedCreation> Page, CreationCursor? Next)> ListAsync(
        CreationFilter filter, CreationCursor? after, int limit, CancellationToken cancellationToken)
    {
        var sql = await PrepareAsync(filter, cancellationToken);
        var branches = sql.Branches(Enum.GetValues<RepoCreationState>());
        if (branches is [])
            return ([], null);
        var place = after is null ? "" : "AND (c.updated_at, c.project_id) < (@at, @id)";
        var rows = await db.Database.SqlQueryRaw<ListedRow>(
            $"""
             SELECT p.slug, p.name, c.project_id, c.state, c.job_id, c.attempts, c.error_code, c.github_status, c.github_error, c.next_attempt_at, c.waits_for, c.updated_at
             FROM (SELECT * FROM ({string.Join(" UNION ALL ", branches.Select(branch =>
                 $"(SELECT c.project_id, c.updated_at FROM {FilterBranch.From} WHERE {branch.Condition} {place} ORDER BY c.updated_at DESC, c.project_id DESC LIMIT {limit + 1})"))}) any_branch
                 ORDER BY updated_at DESC, project_id DESC LIMIT {limit + 1}) k
             JOIN repo_creations c ON c.project_id = k.project_id JOIN projects p ON p.id = k.project_id
             ORDER BY k.updated_at DESC, k.project_id DESC
             """,
            [.. sql.Parameters(after is { } start ? [("at", start.UpdatedAt), ("id", start.ProjectId)] : [])]).ToListAsync(cancellationToken);
        var page = rows.Take(limit).Select(row => row.Read()).ToList();
        return (page, rows.Count > limit ? new CreationCursor(page[^1].UpdatedAt, page[^1].ProjectId) : null);
    }

    /// <summary>How many failed creations there are of each code, whatever states and codes the filter names; the most frequent first.</summary>
    public async Task<IReadOnlyList<FailureGroup>> GroupsAsync(CreationFilter filter, CancellationToken cancellationToken)
    {
        var sql = await PrepareAsync(filter, cancellationToken);
        var failed = sql.Branch(RepoCreationState.Failed);
        var groups = await db.Database.SqlQueryRaw<GroupRow>(
            $"""
             SELECT c.error_code AS code, count(*)::int AS count, min(c.updated_at) AS first_at, max(c.updated_at) AS latest_at
             FROM {FilterBranch.From} WHERE {failed.Condition} GROUP BY c.error_code
             """, [.. sql.Parameters()]).ToListAsync(cancellationToken);
        return [.. groups.Select(group => new FailureGroup(group.Code ?? CreationFilter.NoCode, group.Count, group.FirstAt, group.LatestAt)).OrderByDescending(group => group.Count)];
    }

    /// <summary>A page asks for its rows and for its groups, with one filter: what that means is looked up once.</summary>
    private async Task<FilterSql> PrepareAsync(CreationFilter filter, CancellationToken cancellationToken)
    {
        if (_prepared is not { } prepared || !ReferenceEquals(prepared.Filter, filter))
            _prepared = prepared = (filter, await FilterSql.PrepareAsync(db, filter, cancellationToken));
        return prepared.Sql;
    }

    private sealed record ListedRow(
        string Slug, string Name, Guid ProjectId, string State, string? JobId, int Attempts, string? ErrorCode, int? GithubStatus, string? GithubError,
        DateTime? NextAttemptAt, string? WaitsFor, DateTime UpdatedAt)
    {
        public ListedCreation Read() => new(
            Slug, Name, ProjectId, Enum.Parse<RepoCreationState>(State, ignoreCase: true), JobId, Attempts, ErrorCode, GithubStatus, GithubError, NextAttemptAt,
            WaitsFor is null ? null : Enum.Parse<WaitReason>(WaitsFor, ignoreCase: true), UpdatedAt);
    }

    private sealed record GroupRow(string? Code, int Count, DateTime FirstAt, DateTime LatestAt);
}
