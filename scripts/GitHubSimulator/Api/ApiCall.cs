using GitHubSimulator.Repositories;
using GitHubSimulator.Requests;
using Microsoft.AspNetCore.Http.Features;

namespace GitHubSimulator.Api;

/// <summary>The request that is being answered. Handlers take it as a parameter; <see cref="RequestReceiver"/> makes it.</summary>
internal sealed class ApiCall(HttpContext context, SimulatorState state, ReceivedRequest received, byte[] body)
{
    public SimulatorState State => state;

    public ReceivedRequest Received => received;

    /// <summary>The address under which the client reached the API, without a slash at the end.</summary>
    public string Root { get; } = $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}";

    /// <summary>The same without /api/v3: where a browser would look.</summary>
    public string WebRoot { get; } = $"{context.Request.Scheme}://{context.Request.Host}";

    public IQueryCollection Query => context.Request.Query;

    public string Url => $"{Root}{context.Request.Path}";

    public bool IsGet => HttpMethods.IsGet(received.Method);

    /// <summary>The repository that the call is about: the one asked for in a creation, else the one in the path.</summary>
    public string? RepositoryName =>
        Route("repo")
        ?? (Id is { } id ? state.Repositories.Find(id)?.Name : null)
        ?? (Route("org") is null || IsGet ? null : JsonBody.NameIn(body));

    private long? Id => Route("id") is { } text && long.TryParse(text, out var id) ? id : null;

    public static ApiCall Of(HttpContext context) => context.Features.GetRequiredFeature<ApiCall>();

    public static ValueTask<ApiCall?> BindAsync(HttpContext context) => new(Of(context));

    public string? Route(string name) => context.Request.RouteValues.GetValueOrDefault(name) as string;

    public JsonBody ReadBody() => JsonBody.Read(body);

    /// <returns>The repository, or the answer that says why there is none here.</returns>
    public (SimulatedRepository? Repository, GitHubAnswer? Refusal) FindRepository()
    {
        if (Id is { } id)
            return Visible(state.Repositories.Find(id));

        var (owner, name) = (Route("owner")!, Route("repo")!);
        if (state.Repositories.Find(owner, name) is { } repository)
            return Visible(repository);

        return state.Repositories.FindFormer(owner, name) is { } renamed
            ? (null, Answers.Moved($"{Root}/repositories/{renamed.Id}{Rest}{context.Request.QueryString}", IsGet))
            : (null, Answers.NotFound());
    }

    /// <summary>What follows /repos/{owner}/{repo}.</summary>
    private string Rest => string.Concat(received.Path.Split('/').Skip(4).Select(segment => "/" + segment));

    private (SimulatedRepository? Repository, GitHubAnswer? Refusal) Visible(SimulatedRepository? repository)
    {
        var delay = TimeSpan.FromMilliseconds(state.ContentLimit.Rules.AccessRepositoryDelayMs);
        return repository is { } found && state.Time.GetUtcNow() >= found.CreatedAt + delay ? (found, null) : (null, Answers.NotFound());
    }
}
