using System.Net.Http.Headers;

namespace GitHubSimulator.Api;

/// <summary>GitHub takes both schemes, in any case: Bearer from most, Token from Octokit.</summary>
internal sealed class AuthenticationFilter(SimulatorState state) : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        AuthenticationHeaderValue.TryParse(context.HttpContext.Request.Headers.Authorization, out var header)
        && header.Scheme.ToUpperInvariant() is "BEARER" or "TOKEN"
        && header.Parameter == state.Options.Token
        && !state.Token.IsExpired
            ? next(context)
            : new(Answers.BadCredentials());
}
