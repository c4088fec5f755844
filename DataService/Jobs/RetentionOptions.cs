using System.Globalization;
using DataService.Domain;

namespace DataService.Jobs;

/// <summary>How long the service remembers what is over. What is not settled stays.</summary>
internal sealed class RetentionOptions
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3_650);

    /// <summary>Entries of the audit.</summary>
    public required TimeSpan Audit { get; init; }

    /// <summary>Events of a creation that is settled.</summary>
    public required TimeSpan Timeline { get; init; }

    /// <summary>Hangfire's jobs that succeeded or were deleted; failed ones stay until they are run again or deleted.</summary>
    public required TimeSpan SucceededJobs { get; init; }

    /// <exception cref="ConfigurationException">A value does not fit; names the variable.</exception>
    public static RetentionOptions From(IConfiguration configuration) => new()
    {
        Audit = Read(configuration, "Audit", TimeSpan.FromDays(400)),
        Timeline = Read(configuration, "Timeline", TimeSpan.FromDays(90)),
        SucceededJobs = Read(configuration, "SucceededJobs", TimeSpan.FromDays(7)),
    };

    private static TimeSpan Read(IConfiguration configuration, string name, TimeSpan otherwise) => configuration[$"Retention:{name}"] switch
    {
        null or "" => otherwise,
        { } text when TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var age) && age > TimeSpan.Zero && age <= Longest => age,
        _ => throw new ConfigurationException(
            $"Retention__{name}", $"must be a time span from above zero to {Longest.TotalDays} days, such as 90.00:00:00 for 90 days"),
    };
}
