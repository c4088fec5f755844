using System.Globalization;
using GitHubSimulator.Faults;

namespace GitHubSimulator.Api;

/// <summary>Lets a fault act on the call that it meets: before the work, instead of it, or on the answer.</summary>
internal sealed class FaultFilter(SimulatorState state, IHostApplicationLifetime lifetime) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var call = ApiCall.Of(context.HttpContext);
        if (state.Faults.Take(call.Received.Method, call.Received.Path, call.RepositoryName) is not { } fault)
            return await next(context);

        // A client that gives up while it waits does not stop GitHub: only the end of the simulator does.
        if (fault.Rule.DelayMs > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(fault.Rule.DelayMs), state.Time, lifetime.ApplicationStopping)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            return new DroppedConnection();

        return fault.Rule.Kind switch
        {
            FaultKind.Delay => await next(context),
            FaultKind.Hang => await HangAsync(fault, context, next),
            FaultKind.TakenByStranger => await TakeAsync(call, context, next),
            FaultKind.Reset => new DroppedConnection(),
            FaultKind.LostAnswer or FaultKind.StalledBody or FaultKind.CutBody or FaultKind.TruncatedBody or FaultKind.EmptyBody
                or FaultKind.NullBody or FaultKind.EndlessBody => Spoil(fault, (GitHubAnswer)(await next(context))!),
            _ => Refuse(fault.Rule, call),
        };
    }

    private async Task<object?> HangAsync(Fault fault, EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        await fault.IsRemovedBeforeAsync(context.HttpContext.RequestAborted, lifetime.ApplicationStopping)
            ? await next(context)
            : new DroppedConnection();

    private async Task<object?> TakeAsync(ApiCall call, EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (call.RepositoryName is { } name && call.Route("org") is not null)
            state.Repositories.Create(state.Options.Org, RepositoryName.Sanitise(name), isPrivate: false, stranger: true);
        return await next(context);
    }

    private IResult Spoil(Fault fault, GitHubAnswer answer) => fault.Rule.Kind switch
    {
        FaultKind.StalledBody or FaultKind.CutBody => new HalfAnswer(answer, fault, lifetime.ApplicationStopping),
        FaultKind.EndlessBody => new EndlessAnswer(answer, fault, lifetime.ApplicationStopping),
        FaultKind.TruncatedBody => answer.WithBody(answer.Body.Span[..(answer.Body.Length / 2)]),
        FaultKind.EmptyBody => answer.WithBody([]),
        FaultKind.NullBody => answer.WithBody("null"u8),
        _ => new DroppedConnection(),
    };

    private GitHubAnswer Refuse(FaultRule rule, ApiCall call)
    {
        var answer = rule.Kind switch
        {
            FaultKind.Refuse => Refusals.Answer(rule),
            FaultKind.BadGateway => Refusals.Unicorn(rule.Status ?? 502),
            FaultKind.ServerError => Answers.Error(rule.Status ?? 500, rule.Message ?? "Server Error"),
            FaultKind.HtmlBody => Refusals.ProxyPage(rule.Status ?? 200),
            FaultKind.PrimaryLimit => Exhausted(rule, 403),
            FaultKind.PrimaryLimit429 => Exhausted(rule, 429),
            FaultKind.SecondaryLimit => Answers.SecondaryLimit(403).With("Retry-After", Text(rule.RetryAfterSeconds)),
            FaultKind.SecondaryLimit429 => Answers.SecondaryLimit(429).With("Retry-After", Text(rule.RetryAfterSeconds)),
            FaultKind.Abuse => Answers.Abuse().With("Retry-After", Text(rule.RetryAfterSeconds ?? 60)),
            FaultKind.NotYetVisible => Answers.NotFound(),
            FaultKind.Redirect => Answers.Moved(rule.Location!, call.IsGet, rule.Status),
            _ => throw new InvalidOperationException($"The kind {rule.Kind} does not refuse."),
        };
        if (rule.Body is { } body)
            answer = Refusals.WithBody(answer, body);
        foreach (var (name, value) in rule.Headers ?? new Dictionary<string, string>())
            answer.With(name, value);
        return answer;
    }

    private GitHubAnswer Exhausted(FaultRule rule, int status)
    {
        var limit = state.PrimaryLimit.Usage.Limit;
        return Answers.PrimaryLimit(status)
            .With("x-ratelimit-remaining", "0")
            .With("x-ratelimit-used", Text(limit))
            .With("x-ratelimit-reset", Text(state.Time.GetUtcNow().AddSeconds(rule.ResetSeconds ?? 60).ToUnixTimeSeconds()))
            .With("Retry-After", Text(rule.RetryAfterSeconds));
    }

    private static string? Text(long? number) => number?.ToString(CultureInfo.InvariantCulture);
}
