using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.ClientView;

internal sealed record ClientViewResponse(ClientProject Project, SpecResponse? Spec, IReadOnlyList<TaskResponse> Tasks) : IWithExample
{
    static object IWithExample.Example => new ClientViewResponse(
        new ClientProject("acme-shop", "Acme Shop", ProjectStatus.Review), (SpecResponse)SpecResponse.Example, [(TaskResponse)TaskResponse.Example]);
}

internal sealed record ClientProject(string Slug, string Name, ProjectStatus Status);

internal static class ClientViewEndpoints
{
    /// <summary>
    /// Three results of one round trip. A join would be a single one, and would repeat the spec, which may have megabytes, for
    /// every task.
    /// </summary>
    private static readonly string[] Reads =
    [
        "SELECT slug, name, status FROM projects WHERE slug = $1",
        """
        SELECT s.id, s.project_id, s.content_markdown, s.version, s.created_at
        FROM specs s JOIN projects p ON p.id = s.project_id WHERE p.slug = $1 ORDER BY s.version DESC LIMIT 1
        """,
        """
        SELECT t.id, t.project_id, t.title, t.description, t.status, t.github_issue_number, t.github_issue_url, t.sort_order, t.created_at
        FROM tasks t JOIN projects p ON p.id = t.project_id WHERE p.slug = $1 ORDER BY t.sort_order, t.created_at, t.id
        """,
    ];

    public static void MapClientView(this IEndpointRouteBuilder app) =>
        app.MapGet("/projects/{slug}/client-view", GetAsync).WithTags("Client view").AllowAnonymous().RequireRateLimiting(RateLimits.Public)
            .WithName("getClientView").WithSummary("What the client sees of the project").ProducesProblems(ErrorCode.NotFound);

    private static async Task<Results<Ok<ClientViewResponse>, ProblemHttpResult>> GetAsync(
        string slug, NpgsqlDataSource dataSource, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        var view = await db.Database.CreateExecutionStrategy().ExecuteAsync(token => ReadAsync(dataSource, slug, token), cancellationToken);
        return view is null ? Problems.NoSuchProject(slug) : TypedResults.Ok(view);
    }

    private static async Task<ClientViewResponse?> ReadAsync(NpgsqlDataSource dataSource, string slug, CancellationToken cancellationToken)
    {
        await using var batch = dataSource.CreateBatch();
        foreach (var sql in Reads)
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = ProjectQueries.WithoutNul(slug) } } });
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);

        if (!await reader.ReadAsync(cancellationToken))
            return null;
        var status = Enum.Parse<ProjectStatus>(reader.GetString(2), ignoreCase: true);
        var project = new ClientProject(reader.GetString(0), reader.GetString(1), status);

        await reader.NextResultAsync(cancellationToken);
        SpecResponse? spec = null;
        if (await reader.ReadAsync(cancellationToken))
            spec = new(reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2), reader.GetInt32(3), reader.GetDateTime(4));

        await reader.NextResultAsync(cancellationToken);
        var tasks = new List<TaskResponse>();
        while (await reader.ReadAsync(cancellationToken))
        {
            tasks.Add(new(
                reader.GetGuid(0), reader.GetGuid(1), reader.GetString(2), reader[3] as string, reader.GetString(4),
                reader[5] as int?, reader[6] as string, reader.GetInt32(7), reader.GetDateTime(8)));
        }

        return new ClientViewResponse(project, spec, tasks);
    }
}
