using System.Globalization;

namespace DataService.Benchmarks.Bench;

/// <summary>Prints figures, and remembers whether each reached its bar.</summary>
internal sealed class Report(TextWriter output)
{
    public bool AllReached { get; private set; } = true;

    public void Note(string text) => output.WriteLine(text);

    /// <summary>A figure that has to be at least the bar.</summary>
    public void AtLeast(string what, double figure, double bar, string format = "0.00") =>
        Judge(what, figure, bar, format, "at least", figure >= bar);

    /// <summary>A figure that has to be above the bar.</summary>
    public void Above(string what, double figure, double bar, string format = "0.00") =>
        Judge(what, figure, bar, format, "above", figure > bar);

    /// <summary>A figure that must not be above the bar.</summary>
    public void AtMost(string what, double figure, double bar, string format = "0.00") =>
        Judge(what, figure, bar, format, "at most", figure <= bar);

    /// <summary>A figure that has to be below the bar.</summary>
    public void Below(string what, double figure, double bar, string format = "0.00") =>
        Judge(what, figure, bar, format, "below", figure < bar);

    public static double Median(IEnumerable<double> figures)
    {
        double[] sorted = [.. figures.Order()];
        return sorted.Length % 2 is 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <param name="figures">In any order.</param>
    /// <param name="share">0.95 for what 95 of 100 figures are not above.</param>
    public static double Percentile(IEnumerable<double> figures, double share)
    {
        double[] sorted = [.. figures.Order()];
        return sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
    }

    private void Judge(string what, double figure, double bar, string format, string relation, bool reached)
    {
        AllReached &= reached;
        var (shown, limit) = (figure.ToString(format, CultureInfo.InvariantCulture), bar.ToString(format, CultureInfo.InvariantCulture));
        output.WriteLine($"{(reached ? "reached" : "MISSED ")}  {what}: {shown}, must be {relation} {limit}");
    }
}
