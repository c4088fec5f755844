using GitHubSimulator.Api;

namespace GitHubSimulator.Control;

/// <summary>What GitHub does not have: how a person or a script sets the simulator up and asks what it saw. Without a token.</summary>
internal static class ControlEndpoints
{
    public static void MapControl(this IEndpointRouteBuilder app)
    {
        var control = app.MapGroup("/_simulator");
        control.MapGet("/health", () => Results.Ok(new { Status = "ok" }));

        control.MapGet("/faults", (SimulatorState state) => state.Faults.All.Select(FaultView.Of));
        control.MapPost("/faults", AddFaultAsync);
        control.MapDelete("/faults", ClearFaults);
        control.MapDelete("/faults/{id:int}", RemoveFault);

        control.MapPost("/strangers", AddStrangerAsync);
        control.MapDelete("/repos/{owner}/{repo}/issues/{number:int}", DeleteIssue);
        control.MapPost("/repos/{owner}/{repo}/issues/{number:int}/transfer", TransferIssueAsync);

        control.MapGet("/requests", Requests);
        control.MapDelete("/requests", ClearRequests);

        control.MapGet("/limits", (SimulatorState state) => LimitsView.Of(state));
        control.MapPost("/limits", SetLimitsAsync);

        control.MapGet("/token", (SimulatorState state) => TokenView.Of(state));
        control.MapPost("/token", SetTokenAsync);

        control.MapFallback("{**path}", () => Problem(404, "There is no such call; see the page at / for examples."));
    }

    private static async Task<IResult> AddFaultAsync(HttpContext context, SimulatorState state)
    {
        var (request, problem) = await ControlBody.ReadAsync<FaultRequest>(context);
        if (request is null)
            return Problem(400, problem);

        var (rule, ruleProblem) = request.ToRule();
        if (rule is null)
            return Problem(400, ruleProblem);

        var fault = state.Faults.Add(rule);
        return Results.Created($"/_simulator/faults/{fault.Id}", FaultView.Of(fault));
    }

    private static IResult ClearFaults(SimulatorState state)
    {
        state.Faults.Clear();
        return Results.NoContent();
    }

    private static IResult RemoveFault(SimulatorState state, int id) =>
        state.Faults.Remove(id) ? Results.NoContent() : Problem(404, $"There is no fault {id}.");

    private static async Task<IResult> AddStrangerAsync(HttpContext context, SimulatorState state)
    {
        var (request, problem) = await ControlBody.ReadAsync<StrangerRequest>(context);
        if (request is null)
            return Problem(400, problem);
        if (request.Name != RepositoryName.Sanitise(request.Name) || RepositoryName.Problem(request.Name) is not null)
            return Problem(400, "name must be 1 to 100 of A-Z, a-z, 0-9, '.', '_' and '-'.");

        var repository = state.Repositories.Create(
            state.Options.Org, request.Name, request.Private, request.Description, stranger: true);
        return repository is not null
            ? Results.Created($"/repos/{repository.FullName}", repository)
            : Problem(409, $"There is a repository {request.Name} already.");
    }

    private static IResult DeleteIssue(SimulatorState state, string owner, string repo, int number) =>
        state.Repositories.Find(owner, repo) is { } repository
        && state.Repositories.UpdateIssue(repository.Id, number, issue => issue with { Deleted = true }) is not null
            ? Results.NoContent()
            : Problem(404, "There is no such issue.");

    private static async Task<IResult> TransferIssueAsync(HttpContext context, SimulatorState state, string owner, string repo, int number)
    {
        var (request, problem) = await ControlBody.ReadAsync<TransferRequest>(context);
        if (request is null)
            return Problem(400, problem);

        return state.Repositories.Find(owner, repo) is { } from
            && state.Repositories.Find(owner, request.To) is { } to
            && state.Repositories.TransferIssue(from.Id, number, to.Id) is { } place
                ? Results.Ok(new { to.FullName, place.Number })
                : Problem(404, "There is no such issue, or no other repository of that name.");
    }

    /// <summary>The last ones, oldest first, because a full log would be tens of megabytes.</summary>
    private static object Requests(SimulatorState state, int last = 1000) =>
        new { state.Requests.Total, Requests = state.Requests.All.TakeLast(last) };

    private static IResult ClearRequests(SimulatorState state)
    {
        state.Requests.Clear();
        return Results.NoContent();
    }

    private static async Task<IResult> SetLimitsAsync(HttpContext context, SimulatorState state)
    {
        var (request, problem) = await ControlBody.ReadAsync<LimitsRequest>(context);
        if (request is null)
            return Problem(400, problem);
        if (request.Problem() is { } wrong)
            return Problem(400, wrong);

        state.ContentLimit.Set(request.ToRules());
        state.PrimaryLimit.Set(request.PrimaryPerHour);
        return Results.Ok(LimitsView.Of(state));
    }

    private static async Task<IResult> SetTokenAsync(HttpContext context, SimulatorState state)
    {
        var (request, problem) = await ControlBody.ReadAsync<TokenRequest>(context);
        if (request is null)
            return Problem(400, problem);
        if (request.Problem() is { } wrong)
            return Problem(400, wrong);

        request.Apply(state);
        return Results.Ok(TokenView.Of(state));
    }

    private static IResult Problem(int status, string? problem) => Results.Json(new { Error = problem }, statusCode: status);
}
