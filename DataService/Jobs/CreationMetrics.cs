using System.Diagnostics;
using System.Diagnostics.Metrics;
using DataService.Domain;
using DataService.GitHub;

namespace DataService.Jobs;

/// <summary>What monitoring counts on the way from an approval to a repository. Each instance counts what it has done itself.</summary>
internal sealed class CreationMetrics
{
    /// <summary>
    /// A worker takes a job within a second, GitHub answers within ten; what takes longer has waited: for a retry, its turn, or a person.
    /// </summary>
    private static readonly double[] Buckets = [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600, 86_400];

    private readonly Counter<long> _approvals;
    private readonly Counter<long> _results;
    private readonly Counter<long> _attempts;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _requeued;
    private readonly Counter<long> _abandoned;

    public CreationMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(GitHubMetrics.MeterName);
        _approvals = meter.CreateCounter<long>("dataservice.approvals", "{approval}", "Approvals that were saved, repeated ones included.");
        _results = meter.CreateCounter<long>(
            "dataservice.creation.results", "{creation}", "Creations that came to an end, by result, and by code where they failed.");
        _attempts = meter.CreateCounter<long>(
            "dataservice.creation.attempts", "{attempt}", "Executions of a creation's job, by result, and by code where they failed.");
        _duration = meter.CreateHistogram(
            "dataservice.creation.duration", "s", "Time from the first approval to the linked repository.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = Buckets });
        _requeued = meter.CreateCounter<long>("dataservice.creation.requeued", "{creation}", "Creations that were re-run in bulk.");
        _abandoned = meter.CreateCounter<long>(
            "dataservice.jobs.abandoned", "{job}", "Jobs of dead workers that were put back into the queue.");
        // So that a rate can be told from the first one on.
        _approvals.Add(0);
        _requeued.Add(0);
        _abandoned.Add(0);
    }

    public void Approved(int count = 1) => _approvals.Add(count);

    /// <param name="adopted">Whether an earlier attempt had made it.</param>
    /// <param name="sinceApproval">Null where nobody knows.</param>
    public void Created(bool adopted, TimeSpan? sinceApproval)
    {
        Ended(adopted ? "adopted" : "created");
        if (sinceApproval is { } duration)
            _duration.Record(Math.Max(0, duration.TotalSeconds));
    }

    /// <summary>A repository was created, and the project has another one: the admin's choice.</summary>
    public void CreatedBeside() => Ended("unlinked");

    public void Failed(FailureKind kind) => Ended("failed", kind);

    /// <summary>The attempt failed; the creation goes on by itself.</summary>
    public void Retrying(FailureKind kind) => _attempts.Add(1, Tags("retrying", kind));

    /// <summary>The attempt failed, and the creation waits for the end of a pause.</summary>
    public void Paused(FailureKind kind) => _attempts.Add(1, Tags("paused", kind));

    public void Requeued(int count) => _requeued.Add(count);

    public void Abandoned() => _abandoned.Add(1);

    private void Ended(string result, FailureKind? kind = null)
    {
        var tags = Tags(result, kind);
        _attempts.Add(1, tags);
        _results.Add(1, tags);
    }

    private static TagList Tags(string result, FailureKind? kind)
    {
        var tags = new TagList { { "result", result } };
        if (kind is { } failed)
            tags.Add("error.type", failed.Code);
        return tags;
    }
}
