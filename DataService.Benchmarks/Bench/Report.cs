using System.Globalization;

namespace DataService.Benchmarks.Bench;

/// <summary>Prints figures, and remembers whether each reached its bar.</summary>
internal sealed class Report(TextWriter output)
{
    public bool AllReached { get; private set; } = true;

    public void Note(string text) => output.WriteLine(text);

    public void Note(FormattableString text) => output.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    /// <summary>A figure that has to be at least the bar.</summary>
    public void AtLeast(string what, double figure, double bar, string format = "0.00") => Judge(what, figure, bar, format, "at least", figure >= bar);

    /// <summary>A figure that must not be above the bar.</summary>
    public void AtMost(string what, double figure, double bar, string format = "0.00") => Judge(what, figure, bar, format, "at most", figure <= bar);

    public static double Median(IEnumerable<double> figures)
    {
        double[] sorted = [.. figures.Order()];
        return sorted.Length % 2 is 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private void Judge(string what, double figure, double bar, string format, string relation, bool reached)
    {
        AllReached &= reached;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(reached ? "reached" : "MISSED ")}  {what}: {figure.ToString(format, CultureInfo.InvariantCulture)}, must be {relation} {bar.ToString(format, CultureInfo.InvariantCulture)}"));
    }
}
