using System.CommandLine.Parsing;
using System.Globalization;

namespace Operator;

/// <summary>So many in a time: 30/min, 2/s or 600/h; a minute where it is not said.</summary>
/// <param name="Count">At least 1.</param>
/// <param name="Period">A second, a minute or an hour.</param>
internal sealed record Rate(int Count, TimeSpan Period)
{
    /// <summary>How long a batch of one takes its turn.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);

    /// <summary>Small enough that the work flows, and large enough that slow rates are not all calls.</summary>
    public int BatchSize => Math.Max(1, (int)Math.Min(int.MaxValue, Count * (Step / Period)));

    /// <summary>How long so many take.</summary>
    public TimeSpan Time(int count) => Period * ((double)count / Count);

    /// <summary>For an option.</summary>
    public static Rate? Parse(ArgumentResult result)
    {
        var text = result.Tokens.Single().Value;
        var (number, unit) = text.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? (text[..slash], text[(slash + 1)..]) : (text, "min");
        TimeSpan? period = unit switch { "s" => TimeSpan.FromSeconds(1), "min" or "m" => TimeSpan.FromMinutes(1), "h" => TimeSpan.FromHours(1), _ => null };
        if (period is { } known && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= 1)
            return new Rate(count, known);
        result.AddError("--rate must be a number of creations in a time, such as 30/min, 2/s or 600/h.");
        return null;
    }
}
