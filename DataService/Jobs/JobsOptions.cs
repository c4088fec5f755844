using System.Globalization;
using DataService.Domain;

namespace DataService.Jobs;

internal sealed class JobsOptions
{
    /// <summary>Jobs that one instance runs at a time.</summary>
    public required int Workers { get; init; }

    /// <summary>The wait before the first automatic retry, see <see cref="RetryPolicy"/>.</summary>
    public required TimeSpan FirstRetryDelay { get; init; }

    /// <exception cref="ConfigurationException">A value does not fit; names the variable.</exception>
    public static JobsOptions From(IConfiguration configuration) => new()
    {
        Workers = configuration["Jobs:Workers"] switch
        {
            null or "" => 10,
            { } text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var workers) && workers is >= 1 and <= 100 => workers,
            _ => throw new ConfigurationException("Jobs__Workers", "must be a whole number from 1 to 100"),
        },
        FirstRetryDelay = configuration["Jobs:FirstRetryDelay"] switch
        {
            null or "" => RetryPolicy.DefaultFirstDelay,
            { } text when TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var delay) && delay > TimeSpan.Zero && delay <= RetryPolicy.LongestDelay => delay,
            _ => throw new ConfigurationException("Jobs__FirstRetryDelay", $"must be a time span from above zero to {RetryPolicy.LongestDelay}, such as 00:00:30"),
        },
    };
}
