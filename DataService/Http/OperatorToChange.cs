using Microsoft.AspNetCore.Authorization;

namespace DataService.Http;

/// <summary>A viewer may call the methods that change nothing; whatever else there is, known today or not, wants an operator.</summary>
/// <param name="reads">Paths, without the path base, that only read although they are not asked by GET.</param>
internal sealed class OperatorToChange(params IReadOnlyList<PathString> reads)
    : AuthorizationHandler<OperatorToChange>, IAuthorizationRequirement
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OperatorToChange requirement)
    {
        if (context.User.IsOperator || context.User.IsInRole(Roles.Viewer) && context.Resource is HttpContext http && OnlyReads(http.Request))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }

    private bool OnlyReads(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || reads.Contains(request.Path);
}
