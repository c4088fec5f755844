using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace DataService.Tests.Support;

/// <summary>
/// A small OpenID provider over HTTP, under another host name than the services under test, so that a browser takes it for another
/// site. It signs in <see cref="Person"/> without asking, and is strict about all that a client must prove.
/// </summary>
public sealed class OpenIdProvider : IAsyncLifetime
{
    public const string ClientId = "dataservice";
    public const string ClientSecret = "canary-client-secret-3d8e61";

    private readonly ConcurrentDictionary<string, Login> _codes = new();
    private readonly RSA _key = RSA.Create(2048);
    private readonly WebApplication _app = Build();
    private int _port;

    public string Address => $"http://localhost:{_port}";

    /// <summary>The claims of whoever signs in.</summary>
    public Dictionary<string, object> Person { get; set; } = [];

    /// <summary>Whom the next ID tokens are made out to.</summary>
    public string Audience { get; set; } = ClientId;

    public bool IsDown { get; set; }

    public bool RefusesCodes { get; set; }

    public bool KnowsSigningOut { get; set; } = true;

    /// <summary>What came in: each request's path and query.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>All tokens and codes that were given away.</summary>
    public ConcurrentQueue<string> Secrets { get; } = [];

    public async ValueTask InitializeAsync()
    {
        _app.Use(async (context, next) =>
        {
            Requests.Enqueue($"{context.Request.Path}{context.Request.QueryString}");
            if (IsDown)
                context.Abort();
            else
                await next(context);
        });
        _app.MapGet("/.well-known/openid-configuration", Discover);
        _app.MapGet("/keys", Keys);
        _app.MapGet("/authorize", Authorize);
        _app.MapPost("/token", RedeemAsync);
        _app.MapGet("/end-session", (string post_logout_redirect_uri, string state) =>
            Results.Redirect($"{post_logout_redirect_uri}?state={state}"));
        await _app.StartAsync();
        _port = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    /// <summary>A person with a name, and with these roles in the claim "roles".</summary>
    public static Dictionary<string, object> Somebody(string name, params string[] roles) => new()
    {
        ["sub"] = $"sub-of-{name}",
        ["name"] = name,
        ["preferred_username"] = $"{name.Split(' ')[0].ToUpperInvariant()}@example.com",
        ["roles"] = roles,
    };

    private static WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", "http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        return builder.Build();
    }

    private Dictionary<string, object> Discover() => new()
    {
        ["issuer"] = Address,
        ["jwks_uri"] = $"{Address}/keys",
        ["authorization_endpoint"] = $"{Address}/authorize",
        ["token_endpoint"] = $"{Address}/token",
        [KnowsSigningOut ? "end_session_endpoint" : "none"] = $"{Address}/end-session",
        ["response_types_supported"] = (string[])["code"],
        ["subject_types_supported"] = (string[])["public"],
        ["id_token_signing_alg_values_supported"] = (string[])["RS256"],
    };

    private object Keys()
    {
        var key = _key.ExportParameters(includePrivateParameters: false);
        var (n, e) = (Base64Url.EncodeToString(key.Modulus), Base64Url.EncodeToString(key.Exponent));
        return new { keys = (object[])[new { kty = "RSA", use = "sig", alg = "RS256", kid = "1", n, e }] };
    }

    private IResult Authorize(
        string client_id, string response_type, string redirect_uri, string state, string nonce, string code_challenge, string code_challenge_method)
    {
        if (client_id != ClientId || response_type != "code" || code_challenge_method != "S256")
            return Results.BadRequest();
        var code = Given(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));
        _codes[code] = new Login(redirect_uri, code_challenge, nonce, Person);
        return Results.Redirect($"{redirect_uri}?code={code}&state={Uri.EscapeDataString(state)}");
    }

    private async Task<IResult> RedeemAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        string Sent(string name) => form[name].ToString();
        var proof = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Sent("code_verifier"))));
        if (RefusesCodes || (Sent("client_id"), Sent("client_secret"), Sent("grant_type")) != (ClientId, ClientSecret, "authorization_code")
            || !_codes.TryRemove(Sent("code"), out var code) || (code.RedirectUri, code.Challenge) != (Sent("redirect_uri"), proof))
            return Results.BadRequest(new { error = "invalid_grant" });
        Secrets.Enqueue(Sent("code_verifier"));
        var idToken = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Address,
            Audience = Audience,
            Claims = new Dictionary<string, object>(code.Person) { ["nonce"] = code.Nonce },
            SigningCredentials = new SigningCredentials(new RsaSecurityKey(_key) { KeyId = "1" }, SecurityAlgorithms.RsaSha256),
        });
        var accessToken = Given("canary-access-token-c40d7a");
        return Results.Ok(new { access_token = accessToken, token_type = "Bearer", expires_in = 60, id_token = Given(idToken) });
    }

    private string Given(string secret)
    {
        Secrets.Enqueue(secret);
        return secret;
    }

    /// <summary>What a code stands for.</summary>
    private sealed record Login(string RedirectUri, string Challenge, string Nonce, Dictionary<string, object> Person);
}
