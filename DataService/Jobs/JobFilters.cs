using Hangfire;
using Hangfire.Common;

namespace DataService.Jobs;

/// <summary>
/// The filters of this host's jobs. Hangfire's global ones are left out: they are one list for the whole process, and its
/// automatic retry would be a second owner of retries.
/// </summary>
internal sealed class JobFilters(RetryFilter retry, RepoCreationTracking tracking, JobTraceFilter trace) : IJobFilterProvider
{
    private readonly JobFilter[] _filters =
    [
        new(retry, JobFilterScope.Global, null),
        new(tracking, JobFilterScope.Global, null),
        new(trace, JobFilterScope.Global, null),
        new(new ProbeExpiry(), JobFilterScope.Global, null),
        // Feeds the graph on the dashboard's first page.
        new(new StatisticsHistoryAttribute(), JobFilterScope.Global, null),
    ];

    public IEnumerable<JobFilter> GetFilters(Job job) => _filters;
}
