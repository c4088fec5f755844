using System.Security.Claims;

namespace DataService.Http;

/// <summary>Who may do what: a viewer looks, an operator acts too. Values of <see cref="ClaimTypes.Role"/>.</summary>
internal static class Roles
{
    public const string Viewer = "viewer";
    public const string Operator = "operator";

    extension(ClaimsPrincipal caller)
    {
        /// <summary>Who acts, for people who read it later: the kind of token, or the name at the OpenID provider.</summary>
        public string Actor => caller.Identity?.Name ?? "nobody";

        public bool IsOperator => caller.IsInRole(Operator);
    }
}
