using GitHubSimulator.Limits;

namespace GitHubSimulator.Api;

/// <summary>Marks an endpoint as one that a fine-grained token needs a permission for.</summary>
internal sealed record NeedsPermission(string Name, Access Access)
{
    public override string ToString() => $"{Name}={(Access is Access.Write ? "write" : "read")}";
}

/// <summary>Says in X-Accepted-GitHub-Permissions what would be needed, whatever the answer is, and refuses where the token lacks it.</summary>
internal sealed class PermissionFilter(SimulatorState state) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (context.HttpContext.GetEndpoint()!.Metadata.GetMetadata<NeedsPermission>() is not { } needed)
            return await next(context);

        var answer = state.Token.Allows(needed.Name, needed.Access)
            ? await next(context)
            : Answers.Error(403, "Resource not accessible by personal access token");
        return answer is GitHubAnswer ours ? ours.WithDefault("X-Accepted-GitHub-Permissions", needed.ToString()) : answer;
    }
}
