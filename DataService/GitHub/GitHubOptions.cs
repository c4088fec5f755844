using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using DataService.Domain;

namespace DataService.GitHub;

/// <summary>How the service reaches GitHub. Printing it never shows the token.</summary>
internal sealed partial class GitHubOptions
{
    /// <summary>The organisation that owns new repositories.</summary>
    public required string Organization { get; init; }

    /// <summary>The REST API's root; ends in a slash, so that relative addresses append to it.</summary>
    public required Uri ApiUrl { get; init; }

    /// <summary>
    /// The root of what people look at: GitHub's own site, an Enterprise Server's or a simulator's, as the API's address tells.
    /// </summary>
    public Uri WebUrl => field ??= ApiUrl switch
    {
        { Host: "api.github.com" } => new Uri("https://github.com/"),
        { Host: var host } when host.StartsWith("api.", StringComparison.Ordinal) && host.EndsWith(".ghe.com", StringComparison.Ordinal) =>
            new Uri($"https://{host["api.".Length..]}/"),
        var server => new Uri(server, "/"),
    };

    /// <summary>A fine-grained personal access token; null where none is configured.</summary>
    public required string? Token { get; init; }

    /// <summary>From the request's first byte to the answer's last. GitHub itself cuts a request after 10 s.</summary>
    public required TimeSpan RequestTimeout { get; init; }

    /// <summary>What all instances together may create with the token; empty for as much as they can.</summary>
    public required IReadOnlyList<ContentLimit> ContentBudget { get; init; }

    /// <summary>Tells one token from another in the database, and tells nothing else of it.</summary>
    public string Credential => field ??= Token is null ? "none" : Convert.ToHexStringLower(
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(Token), 16, info: "DataService GitHub credential"u8.ToArray()));

    /// <exception cref="ConfigurationException">A value does not fit; names the variable.</exception>
    public static GitHubOptions From(IConfiguration configuration) => new()
    {
        Organization = configuration["GITHUB_ORG"] switch
        {
            null or "" => "auditmos-projects",
            { } org when OrganizationName().IsMatch(org) => org,
            { } org => throw new ConfigurationException("GITHUB_ORG", $"must be an organisation's name (letters, digits, single hyphens; at most 39), it is '{org}'"),
        },
        ApiUrl = configuration["GITHUB_API_URL"] switch
        {
            null or "" => new Uri("https://api.github.com/"),
            { } text when Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var url)
                && url is { Scheme: "https" or "http", UserInfo: "", Query: "", Fragment: "" } => url,
            _ => throw new ConfigurationException("GITHUB_API_URL", "must be an absolute http(s) address without user, query or fragment, such as https://ghe.example.com/api/v3"),
        },
        Token = configuration["GITHUB_TOKEN"] switch
        {
            null or "" => null,
            { } token when PrintableToken().IsMatch(token) => token,
            _ => throw new ConfigurationException("GITHUB_TOKEN", "must be one token of printable characters without spaces or line breaks"),
        },
        RequestTimeout = configuration["GitHub:RequestTimeout"] switch
        {
            null or "" => TimeSpan.FromSeconds(20),
            { } text when TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var timeout) && timeout > TimeSpan.Zero => timeout,
            _ => throw new ConfigurationException("GitHub__RequestTimeout", "must be a time span above zero, such as 00:00:20"),
        },
        ContentBudget = configuration["GitHub:ContentBudget"] switch
        {
            null or "" => ContentLimits.Default,
            { } text when ContentLimits.Parse(text) is { } limits => limits,
            _ => throw new ConfigurationException("GitHub__ContentBudget", "must be limits such as 1/s, 60/min, 400/h (or 20/10s), or off"),
        },
    };

    /// <summary>The failure without the token, should a proxy have echoed it in its answer.</summary>
    public Failure Redact(Failure failure) =>
        Token is null ? failure : failure with { Text = failure.Text.Replace(Token, "***", StringComparison.Ordinal) };

    public override string ToString() => $"{Organization} at {ApiUrl}, {(Token is null ? "no token" : "with a token")}";

    [GeneratedRegex(@"\A[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}\z")]
    private static partial Regex OrganizationName();

    [GeneratedRegex(@"\A[!-~]+\z")]
    private static partial Regex PrintableToken();
}
