namespace DataService.Benchmarks.Chaos;

/// <param name="From">UTC.</param>
/// <param name="To">UTC; not part of it.</param>
internal readonly record struct TimeWindow(DateTime From, DateTime To)
{
    public bool Holds(DateTime time) => From <= time && time < To;
}
