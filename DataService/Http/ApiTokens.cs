using System.Security.Cryptography;
using System.Text;
using DataService.Domain;

namespace DataService.Http;

/// <summary>
/// The tokens that open the API and the dashboard. API_TOKEN may list several, separated by commas, so that one can be replaced
/// while callers still use the other. Printing it shows none.
/// </summary>
internal sealed class ApiTokens
{
    public const string Variable = "API_TOKEN";

    private const int MinLength = 16;

    private readonly string[] _tokens;
    private readonly bool _isGenerated;
    private readonly byte[][] _digests;

    private ApiTokens(string[] tokens, bool isGenerated = false)
    {
        _isGenerated = isGenerated;
        _tokens = tokens;
        _digests = [.. tokens.Select(Digest)];
    }

    /// <summary>The tokens themselves, the current one first; only for deriving keys.</summary>
    public IReadOnlyList<string> All => _tokens;

    public static bool IsConfigured(IConfiguration configuration) => Split(configuration) is not [];

    /// <exception cref="ConfigurationException">Missing outside Development, too short, or not fit for a header.</exception>
    public static ApiTokens From(IConfiguration configuration, bool generateWhenMissing)
    {
        var tokens = Split(configuration);
        if (tokens is [])
        {
            return generateWhenMissing
                ? new ApiTokens([Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24))], isGenerated: true)
                : throw new ConfigurationException(Variable, $"is not set; expected a secret of at least {MinLength} characters, for example from: openssl rand -hex 24");
        }

        return Array.TrueForAll(tokens, token => token.Length >= MinLength && token.All(letter => letter is > ' ' and <= '~'))
            ? new ApiTokens(tokens)
            : throw new ConfigurationException(Variable, $"must be made of at least {MinLength} printable ASCII characters without spaces");
    }

    /// <summary>Tells the developer at the terminal, who has no other way to learn it. Never through the log.</summary>
    public void PrintWhenGenerated()
    {
        if (_isGenerated)
            Console.Out.WriteLine($"{Variable}={_tokens[0]}");
    }

    /// <summary>Compares in a time that depends on neither the position of a difference nor the lengths.</summary>
    public bool Accept(string candidate)
    {
        var digest = Digest(candidate);
        var accepted = false;
        foreach (var expected in _digests)
            accepted |= CryptographicOperations.FixedTimeEquals(digest, expected);
        return accepted;
    }

    /// <summary>What a session remembers of the token that opened it: enough to know it again, too little to be it.</summary>
    public static string Fingerprint(string token) =>
        Convert.ToHexStringLower(HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(token), 16, info: "DataService session"u8.ToArray()));

    /// <summary>Whether the token of this fingerprint is still configured.</summary>
    public bool HasFingerprint(string fingerprint) => Array.Exists(_tokens, token => Fingerprint(token) == fingerprint);

    public override string ToString() => $"{_tokens.Length} API token(s)";

    private static string[] Split(IConfiguration configuration) =>
        (configuration[Variable] ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static byte[] Digest(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
