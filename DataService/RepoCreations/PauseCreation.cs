using System.ComponentModel.DataAnnotations;
using DataService.Domain;
using DataService.Http;
using DataService.Jobs;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.RepoCreations;

/// <param name="Reason">Why; others read it.</param>
public sealed record PauseCreationRequest(
    [property: Required(ErrorMessage = "Give the reason."), StringLength(500, ErrorMessage = "The reason must have at most 500 characters."), PrintableText]
    string Reason) : IWithExample
{
    static object IWithExample.Example => new PauseCreationRequest("The organisation is being moved to another plan.");
}

/// <param name="Since">UTC.</param>
/// <param name="By"><c>operator</c>, or <c>breaker</c> where GitHub refused the token again and again.</param>
/// <param name="Code">What GitHub refused the token with.</param>
/// <param name="Reason">The operator's, or GitHub's own text.</param>
internal sealed record PauseResponse(DateTime Since, string By, string? Code, string Reason);

/// <param name="Limit">As it is configured: calls in a period.</param>
/// <param name="Calls">How many the period may have.</param>
/// <param name="PeriodSeconds">Its length.</param>
/// <param name="Used">How many the last one had.</param>
internal sealed record BudgetResponse(string Limit, int Calls, double PeriodSeconds, int Used);

/// <param name="Pause">Null where creation goes on.</param>
/// <param name="LimitedUntil">GitHub wants no content before; null where it has set no limit.</param>
/// <param name="Budget">Empty where it is off.</param>
/// <param name="WaitingForBudget">Creations that wait for their turn.</param>
/// <param name="WaitingForResume">Creations that wait for the end of the pause.</param>
internal sealed record CreationStatusResponse(
    PauseResponse? Pause, DateTime? LimitedUntil, IReadOnlyList<BudgetResponse> Budget, int WaitingForBudget, int WaitingForResume) : IWithExample
{
    static object IWithExample.Example => new CreationStatusResponse(
        new PauseResponse(new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc), "breaker", "GITHUB_UNAUTHORIZED", "Bad credentials"), null,
        [new BudgetResponse("1/s", 1, 1, 0), new BudgetResponse("60/min", 60, 60, 12), new BudgetResponse("400/h", 400, 3600, 97)], 0, 41);

    public static CreationStatusResponse From(CreationStatus status) => new(
        status.Pause is { } pause ? new PauseResponse(pause.Since, pause.Credential is null ? "operator" : "breaker", pause.Code?.Code, pause.Reason) : null,
        status.LimitedUntil,
        [.. status.Budget.Select(used => new BudgetResponse(used.Limit.ToString(), used.Limit.Calls, used.Limit.Period.TotalSeconds, used.Used))],
        status.WaitingForBudget,
        status.WaitingForResume);
}

/// <summary>Stops the creation of repositories for all instances, and lets it go on.</summary>
internal static class PauseCreation
{
    public static async Task<Ok<CreationStatusResponse>> StatusAsync(CreationControl control, CancellationToken cancellationToken) =>
        TypedResults.Ok(CreationStatusResponse.From(await control.ReadAsync(cancellationToken)));

    public static async Task<Ok<CreationStatusResponse>> PauseAsync(PauseCreationRequest request, CreationControl control, CancellationToken cancellationToken)
    {
        await control.PauseAsync(request.Reason.Trim(), cancellationToken);
        return await StatusAsync(control, cancellationToken);
    }

    public static async Task<Ok<CreationStatusResponse>> ResumeAsync(CreationControl control, CancellationToken cancellationToken)
    {
        await control.ResumeAsync(reason: null, cancellationToken);
        return await StatusAsync(control, cancellationToken);
    }
}
