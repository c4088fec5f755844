using System.Globalization;

namespace GitHubSimulator.Api;

internal static class Instant
{
    /// <summary>As GitHub writes it: UTC, whole seconds, Z.</summary>
    public static string ToText(this DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
