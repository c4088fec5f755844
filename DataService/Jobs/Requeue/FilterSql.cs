using DataService.Data;
using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Jobs.Requeue;

/// <summary>A part of a filter that is one range of an index, in the order of time: a state, or a code of it.</summary>
/// <param name="Condition">All of the filter, on the creation <c>c</c>.</param>
internal sealed record FilterBranch(string Condition)
{
    public const string From = "repo_creations c";
}

/// <summary>A filter as SQL, to be asked branch by branch.</summary>
internal sealed class FilterSql
{
    /// <summary>A text that fits no more than this is looked for among what it fits; any other one by a walk, which the index alone answers.</summary>
    internal const int Few = 3_000;

    private readonly CreationFilter _filter;
    private readonly List<(string Name, object Value)> _values = [];
    private readonly List<string> _conditions = [];

    /// <summary>Of a failure, which has GitHub's text too, and of any other creation; null where there is no text to look for.</summary>
    private (string OfFailure, string OfOther)? _text;

    private FilterSql(CreationFilter filter) => _filter = filter;

    /// <summary>Reads from the database what the slugs and the text mean.</summary>
    public static async Task<FilterSql> PrepareAsync(DataServiceDbContext db, CreationFilter filter, CancellationToken cancellationToken)
    {
        var sql = new FilterSql(filter);
        if (filter.Since is { } since)
            sql.Add("c.updated_at >= @since", "since", since);
        if (filter.Until is { } until)
            sql.Add("c.updated_at < @until", "until", until);
        if (filter.Slugs is not [])
        {
            var named = await db.Projects.Where(p => filter.Slugs.Contains(p.Slug)).Select(p => p.Id).ToArrayAsync(cancellationToken);
            sql.Add("c.project_id = ANY(@named)", "named", named);
        }

        if (filter.Text is { Length: > 0 } text)
            await sql.AddTextAsync(db, text, cancellationToken);
        return sql;
    }

    /// <param name="states">The states to look at, where the filter leaves them open or names them too.</param>
    public IReadOnlyList<FilterBranch> Branches(IReadOnlyList<RepoCreationState> states)
    {
        var wanted = _filter.States is [] ? states : [.. states.Intersect(_filter.States)];
        return _filter.Codes is []
            ? [.. wanted.Select(state => Branch(state))]
            : [.. wanted.Intersect(CreationFilter.Requeueable).SelectMany(_ => _filter.Codes.Distinct(), Branch)];
    }

    /// <summary>One state, and one code of it where one is given.</summary>
    public FilterBranch Branch(RepoCreationState state, string? code = null)
    {
        List<string> conditions = [$"c.state = '{Word(state)}'"];
        if (code is not null)
            conditions.Add(code is CreationFilter.NoCode ? "c.error_code IS NULL" : $"c.error_code = '{code}'");
        conditions.AddRange(_conditions);
        if (_text is { } text)
            conditions.Add(CreationFilter.Requeueable.Contains(state) ? text.OfFailure : text.OfOther);
        return new FilterBranch(string.Join(" AND ", conditions));
    }

    /// <summary>For one statement; each needs its own.</summary>
    public NpgsqlParameter[] Parameters(params IEnumerable<(string Name, object Value)> more) => [.. _values.Concat(more).Select(value => new NpgsqlParameter(value.Name, value.Value))];

    public static string Word(RepoCreationState state) => state.ToString().ToLowerInvariant();

    private async Task AddTextAsync(DataServiceDbContext db, string text, CancellationToken cancellationToken)
    {
        var pattern = text.AsLikePattern();
        var called = await db.Database.SqlQuery<Guid>($"""SELECT id AS "Value" FROM projects WHERE search_text LIKE lower({pattern}) LIMIT {Few + 1}""").ToArrayAsync(cancellationToken);
        var told = await db.Database.SqlQuery<Guid>($"""SELECT project_id AS "Value" FROM repo_creations WHERE github_error ILIKE {pattern} LIMIT {Few + 1}""").ToArrayAsync(cancellationToken);
        var (manyAreCalled, manyAreTold) = (called.Length > Few, told.Length > Few);
        _values.AddRange([("text", pattern), ("called", called), ("found", called.Union(told).ToArray())]);
        _text = (
            manyAreCalled || manyAreTold ? "(c.called LIKE lower(@text) OR c.told LIKE lower(@text))" : "c.project_id = ANY(@found)",
            manyAreCalled ? "c.called LIKE lower(@text)" : "c.project_id = ANY(@called)");
    }

    private void Add(string condition, string name, object value)
    {
        _conditions.Add(condition);
        _values.Add((name, value));
    }
}
