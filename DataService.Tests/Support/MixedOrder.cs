using DataService.Tests.Support;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(MixedOrder))]

namespace DataService.Tests.Support;

/// <summary>
/// Spreads the long classes, which mostly wait for processes and leases, among the others, which mostly work, and ends with some of these:
/// else the processors are idle for the last minutes of a run, or all wait at once.
/// </summary>
public sealed class MixedOrder : ITestCollectionOrderer
{
    /// <summary>About how many classes run on the other threads while a long one does.</summary>
    private const int OthersBetween = 7;

    private static readonly string[] Long = [".Reliability.", ".ProgramTests ", ".PublishTests ", ".EmbeddedPostgresTests "];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection
    {
        var (waiting, working) = (new Queue<TTestCollection>(testCollections.Where(IsLong)), testCollections.Where(collection => !IsLong(collection)).ToList());
        List<TTestCollection> ordered = [];
        foreach (var (collection, at) in working.Select((collection, at) => (collection, at)))
        {
            if (at % OthersBetween is 0 && waiting.TryDequeue(out var next))
                ordered.Add(next);
            ordered.Add(collection);
        }

        return [.. ordered, .. waiting];
    }

    private static bool IsLong<TTestCollection>(TTestCollection collection) where TTestCollection : ITestCollection =>
        Array.Exists(Long, part => collection.TestCollectionDisplayName.Contains(part, StringComparison.Ordinal));
}
