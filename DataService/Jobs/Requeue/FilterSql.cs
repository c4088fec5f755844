using DataService.Data;
using DataService.Domain;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Jobs.Requeue;

/// <summary>A part of a filter that is one range of an index, in the order of time: a state, or a code of it.</summary>
/// <param name="From">The creation <c>c</c>, with its project <c>p</c> where the condition asks for it.</param>
/// <param name="Condition">All of the filter.</param>
internal sealed record FilterBranch(string From, string Condition)
{
    public const string Creation = "repo_creations c";
    public const string WithProject = $"{Creation} JOIN projects p ON p.id = c.project_id";
}

/// <summary>A filter as SQL, to be asked branch by branch.</summary>
internal sealed class FilterSql
{
    /// <summary>A text that fits no more than this is looked for among what it fits; any other one fits so many that a walk soon meets some.</summary>
    private const int Few = 5_000;

    private readonly CreationFilter _filter;
    private readonly List<(string Name, object Value)> _values = [];
    private readonly List<string> _conditions = [];

    /// <summary>On the project, and on GitHub's text; null where there is no text to look for.</summary>
    private (string Project, string Error, bool WalksProjects)? _text;

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
        // GitHub's text stands only where something failed: elsewhere a walk for it would never end.
        if (_text is { } text)
            conditions.Add(CreationFilter.Requeueable.Contains(state) ? $"({text.Project} OR {text.Error})" : text.Project);
        return new FilterBranch(_text is { WalksProjects: true } ? FilterBranch.WithProject : FilterBranch.Creation, string.Join(" AND ", conditions));
    }

    /// <summary>For one statement; each needs its own.</summary>
    public NpgsqlParameter[] Parameters(params IEnumerable<(string Name, object Value)> more) => [.. _values.Concat(more).Select(value => new NpgsqlParameter(value.Name, value.Value))];

    public static string Word(RepoCreationState state) => state.ToString().ToLowerInvariant();

    private async Task AddTextAsync(DataServiceDbContext db, string text, CancellationToken cancellationToken)
    {
        var pattern = $"%{text.Replace(@"\", @"\\").Replace("%", @"\%").Replace("_", @"\_")}%";
        var called = await db.Projects.Where(p => EF.Functions.ILike(p.Slug, pattern, @"\") || EF.Functions.ILike(p.Name, pattern, @"\"))
            .Select(p => p.Id).Take(Few + 1).ToArrayAsync(cancellationToken);
        var told = await db.RepoCreations.Where(c => EF.Functions.ILike(c.GithubError!, pattern, @"\")).Select(c => c.ProjectId).Take(Few + 1).ToArrayAsync(cancellationToken);
        var walksProjects = called.Length > Few;
        _values.AddRange([("text", pattern), ("called", called), ("told", told)]);
        _text = (
            walksProjects ? "(p.slug ILIKE @text OR p.name ILIKE @text)" : "c.project_id = ANY(@called)",
            told.Length > Few ? "c.github_error ILIKE @text" : "c.project_id = ANY(@told)",
            walksProjects);
    }

    private void Add(string condition, string name, object value)
    {
        _conditions.Add(condition);
        _values.Add((name, value));
    }
}
