using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using DataService.Domain;
using DataService.Http;

namespace DataService.Jobs.Dashboard;

/// <summary>The OpenID provider that signs people in to the dashboard, instead of tokens. Printing it shows no secret.</summary>
internal sealed class OidcOptions
{
    private const string Section = "Authentication:Oidc";

    public required Uri Authority { get; init; }

    public required string ClientId { get; init; }

    /// <summary>Null for a public client, which proves itself by PKCE alone.</summary>
    public required string? ClientSecret { get; init; }

    /// <summary>The claim of the ID token that lists a person's roles.</summary>
    public required string RoleClaim { get; init; }

    public required string OperatorRole { get; init; }

    public required string ViewerRole { get; init; }

    /// <summary>Changes with everything that a session rests on, and with nothing else.</summary>
    public string Fingerprint => Convert.ToHexStringLower(SHA256.HashData(
        Encoding.UTF8.GetBytes(string.Join('\n', Authority, ClientId, RoleClaim, OperatorRole, ViewerRole))));

    /// <returns>Null when no provider is configured.</returns>
    /// <exception cref="ConfigurationException">A value is missing or does not fit; names the variable.</exception>
    public static OidcOptions? From(IConfiguration configuration, bool allowHttp)
    {
        var section = configuration.GetSection(Section);
        var (authority, clientId, clientSecret) = (Text(section, "Authority"), Text(section, "ClientId"), Text(section, "ClientSecret"));
        if (authority is null && clientId is null && clientSecret is null)
            return null;
        if (!Uri.TryCreate(authority, UriKind.Absolute, out var url)
            || !(url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp && allowHttp)
            || url is not { Query: "", Fragment: "", UserInfo: "" })
        {
            throw new ConfigurationException(
                Variable("Authority"), "must be the https address of an OpenID provider, such as https://login.example.com/realms/agency");
        }

        var operatorRole = Text(section, "OperatorRole") ?? "dataservice-operator";
        var viewerRole = Text(section, "ViewerRole") ?? "dataservice-viewer";
        return new()
        {
            Authority = url,
            ClientId = clientId
                ?? throw new ConfigurationException(Variable("ClientId"), "is not set; expected the id that the provider knows the service by"),
            ClientSecret = clientSecret,
            RoleClaim = Text(section, "RoleClaim") ?? "roles",
            OperatorRole = operatorRole,
            ViewerRole = viewerRole != operatorRole
                ? viewerRole
                : throw new ConfigurationException(Variable("ViewerRole"), $"must differ from {Variable("OperatorRole")}"),
        };
    }

    /// <returns>The greater of the person's roles; null for one who has none here.</returns>
    public string? RoleOf(ClaimsPrincipal user) =>
        user.HasClaim(RoleClaim, OperatorRole) ? Roles.Operator : user.HasClaim(RoleClaim, ViewerRole) ? Roles.Viewer : null;

    private static string? Text(IConfigurationSection section, string name) => section[name]?.Trim() is { Length: > 0 } text ? text : null;

    private static string Variable(string name) => $"{Section}:{name}".Replace(":", "__", StringComparison.Ordinal);
}
