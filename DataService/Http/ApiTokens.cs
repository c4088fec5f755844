using System.Security.Cryptography;
using System.Text;
using DataService.Domain;

namespace DataService.Http;

/// <summary>
/// The tokens that open the API and the dashboard: an operator's in API_TOKEN, a viewer's in VIEWER_TOKEN. Each may list several,
/// separated by commas, so that one can be replaced while callers still use the other. Printing it shows none.
/// </summary>
internal sealed class ApiTokens
{
    public const string Variable = "API_TOKEN";

    public const string ViewerVariable = "VIEWER_TOKEN";

    private const int MinLength = 16;

    private readonly string[] _operators;
    private readonly bool _isGenerated;
    private readonly Grant[] _grants;

    private ApiTokens(string[] operators, string[] viewers, bool isGenerated)
    {
        _isGenerated = isGenerated;
        _operators = operators;
        _grants =
        [
            .. operators.Select(token => Grant.Of(token, Roles.Operator)),
            .. viewers.Select(token => Grant.Of(token, Roles.Viewer)),
        ];
    }

    /// <summary>The operators' tokens themselves, the current one first; only for deriving keys.</summary>
    public IReadOnlyList<string> All => _operators;

    public static bool IsConfigured(IConfiguration configuration) => Split(configuration, Variable) is not [];

    /// <exception cref="ConfigurationException">
    /// API_TOKEN is missing outside Development; a token is too short, not fit for a header, or the token of both roles.
    /// </exception>
    public static ApiTokens From(IConfiguration configuration, bool generateWhenMissing)
    {
        var operators = Split(configuration, Variable);
        var viewers = Split(configuration, ViewerVariable);
        if (operators is [] && !generateWhenMissing)
        {
            throw new ConfigurationException(
                Variable, $"is not set; expected a secret of at least {MinLength} characters, for example from: openssl rand -hex 24");
        }

        Check(Variable, operators);
        Check(ViewerVariable, viewers);
        if (viewers.Intersect(operators).Any())
            throw new ConfigurationException(ViewerVariable, $"must not repeat a token of {Variable}");
        return operators is []
            ? new ApiTokens([Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24))], viewers, isGenerated: true)
            : new ApiTokens(operators, viewers, isGenerated: false);
    }

    /// <summary>Tells the developer at the terminal, who has no other way to learn it. Never through the log.</summary>
    public void PrintWhenGenerated()
    {
        if (_isGenerated)
            Console.Out.WriteLine($"{Variable}={_operators[0]}");
    }

    /// <summary>Compares in a time that depends on neither the position of a difference nor the lengths nor the role.</summary>
    /// <returns>The role that the token gives; null for a token that is not ours.</returns>
    public string? RoleOf(string candidate)
    {
        var digest = Digest(candidate);
        string? role = null;
        foreach (var grant in _grants)
        {
            if (CryptographicOperations.FixedTimeEquals(digest, grant.Digest))
                role = grant.Role;
        }

        return role;
    }

    /// <summary>What the holder of a token is called where nothing else is known of them.</summary>
    public static string ActorOf(string role) => role is Roles.Operator ? "api token" : "viewer token";

    /// <summary>What a session remembers of the token that opened it: enough to know it again, too little to be it.</summary>
    public static string Fingerprint(string token) =>
        Convert.ToHexStringLower(HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(token), 16, info: "DataService session"u8.ToArray()));

    /// <summary>Whether the token of this fingerprint is still configured, and for this role.</summary>
    public bool Grants(string fingerprint, string role) =>
        Array.Exists(_grants, grant => grant.Fingerprint == fingerprint && grant.Role == role);

    public override string ToString() => $"{_grants.Length} API token(s)";

    private static string[] Split(IConfiguration configuration, string variable) =>
        (configuration[variable] ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static void Check(string variable, string[] tokens)
    {
        if (!Array.TrueForAll(tokens, token => token.Length >= MinLength && token.All(letter => letter is > ' ' and <= '~')))
            throw new ConfigurationException(variable, $"must be made of at least {MinLength} printable ASCII characters without spaces");
    }

    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private sealed record Grant(byte[] Digest, string Fingerprint, string Role)
    {
        public static Grant Of(string token, string role) => new(ApiTokens.Digest(token), ApiTokens.Fingerprint(token), role);
    }
}
