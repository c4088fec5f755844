using System.Globalization;

namespace GitHubSimulator;

/// <summary>A class and not a record: a record's ToString would show the token.</summary>
internal sealed class SimulatorOptions(IConfiguration configuration, TimeProvider time)
{
    public string Token { get; } = Value(configuration, "GITHUB_TOKEN") ?? "simulator-token";

    public string Org { get; } = Value(configuration, "GITHUB_ORG") ?? "auditmos-projects";

    /// <summary>What the header github-authentication-token-expiration announces.</summary>
    public DateTimeOffset TokenExpires { get; } = Value(configuration, "SIMULATOR_TOKEN_EXPIRES") is { } text
        ? DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)
        : time.GetUtcNow().AddDays(90);

    /// <summary>The file that keeps the repositories between two runs; null: memory only.</summary>
    public string? DataFile { get; } = Value(configuration, "SIMULATOR_DATA");

    private static string? Value(IConfiguration configuration, string name) =>
        configuration[name] is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;
}
