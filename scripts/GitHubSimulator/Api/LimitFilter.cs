using System.Globalization;

namespace GitHubSimulator.Api;

/// <summary>Marks an endpoint as one that the secondary limit on content creation counts.</summary>
internal sealed class CreatesContent;

/// <summary>Marks an endpoint that costs nothing against the primary limit.</summary>
internal sealed class FreeOfCharge;

internal sealed class LimitFilter(SimulatorState state) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var metadata = context.HttpContext.GetEndpoint()!.Metadata;
        if (metadata.GetMetadata<FreeOfCharge>() is null && !state.PrimaryLimit.TryTake())
            return Answers.PrimaryLimit();

        return metadata.GetMetadata<CreatesContent>() is not null && state.ContentLimit.Take() is { } block
            ? Answers.SecondaryLimit().With("Retry-After", state.ContentLimit.Rules.RetryAfter ? Seconds(block) : null)
            : await next(context);
    }

    private static string Seconds(TimeSpan time) => Math.Ceiling(time.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
