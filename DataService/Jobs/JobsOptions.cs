using System.Globalization;
using DataService.Domain;

namespace DataService.Jobs;

internal sealed class JobsOptions
{
    /// <summary>Jobs that one instance runs at a time.</summary>
    public required int Workers { get; init; }

    /// <summary>The wait before the first automatic retry, see <see cref="RetryPolicy"/>.</summary>
    public required TimeSpan FirstRetryDelay { get; init; }

    /// <summary>Refusals of the token in a row that pause all creation; null for never.</summary>
    public required int? PauseAfterRefusals { get; init; }

    /// <summary>What the recurring reconciliation may do; null where it does not run.</summary>
    public required ReconciliationMode? Reconciliation { get; init; }

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
        PauseAfterRefusals = configuration["Jobs:PauseAfterRefusals"] switch
        {
            null or "" => 3,
            "0" => null,
            { } text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var refusals) && refusals is >= 1 and <= 1_000 => refusals,
            _ => throw new ConfigurationException("Jobs__PauseAfterRefusals", "must be a whole number from 1 to 1000, or 0 for never"),
        },
        Reconciliation = configuration["Jobs:Reconciliation"]?.ToLowerInvariant() switch
        {
            null or "" or "repair" => ReconciliationMode.Repair,
            "report" => ReconciliationMode.Report,
            "off" => null,
            _ => throw new ConfigurationException("Jobs__Reconciliation", "must be repair, report or off"),
        },
    };
}
