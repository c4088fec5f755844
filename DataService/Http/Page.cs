namespace DataService.Http;

/// <summary>One page of a list.</summary>
internal sealed record Page<T>(IReadOnlyList<T> Data, Pagination Pagination) : IWithExample
{
    static object IWithExample.Example => new Page<T>(OpenApiExamples.Of(typeof(T)) is T row ? [row] : [], new Pagination(1, 10, 0, false));
}

/// <param name="Total">Rows that match, on all pages.</param>
/// <param name="Limit">Rows asked for.</param>
/// <param name="Offset">Rows skipped.</param>
/// <param name="HasMore">Whether rows follow this page.</param>
internal sealed record Pagination(int Total, int Limit, int Offset, bool HasMore);
