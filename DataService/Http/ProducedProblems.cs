namespace DataService.Http;

/// <param name="Codes">The contract's.</param>
internal sealed record ProducedProblems(IReadOnlyList<string> Codes);

internal static class ProducedProblemsSetup
{
    /// <summary>
    /// Names the errors of an endpoint, or of a group, for the OpenAPI document: beyond 400 where there are parameters or a body, 401, 403,
    /// 413, 415, 429 and 500, which every endpoint of its kind has.
    /// </summary>
    /// <param name="builder">The endpoints.</param>
    /// <param name="codes">The contract's, such as <see cref="ErrorCode.NotFound"/>; each implies its status.</param>
    public static TBuilder ProducesProblems<TBuilder>(this TBuilder builder, params string[] codes) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new ProducedProblems(codes));
}
