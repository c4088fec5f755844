using System.Diagnostics;
using System.Globalization;
using DataService.Data;
using Hangfire.Server;
using Hangfire.States;
using Npgsql;

namespace DataService.Jobs;

/// <summary>
/// Carries the trace of a request to the job that it enqueues, in the data of the job's state <c>Enqueued</c>: that is written anyhow, and
/// one more word in it costs no round trip. A new job goes on with the trace of its request. Those that are enqueued in bulk may be
/// thousands, too many for one trace: each begins its own, with a link to the request.
/// </summary>
internal static class JobTrace
{
    /// <summary>Has listeners only where traces are exported.</summary>
    public const string SourceName = "DataService";

    /// <summary>In the state's data, as in the header: the span to go on from.</summary>
    public const string Parent = "TraceParent";

    /// <summary>In the state's data: the span to link to.</summary>
    public const string Link = "TraceLink";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Adds the trace under way to a state's data.</summary>
    /// <param name="data">Of a state <c>Enqueued</c>.</param>
    /// <param name="goesOn">Whether the job goes on with the trace, and does not only link to it.</param>
    public static void Write(Dictionary<string, string> data, bool goesOn)
    {
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } id })
            data[goesOn ? Parent : Link] = id;
    }

    /// <summary>Begins a job's span. It is there where nobody exports traces too, for the log.</summary>
    public static Activity Start(string job, string jobId, string? parent, string? link)
    {
        _ = ActivityContext.TryParse(parent, null, isRemote: true, out var context);
        var links = ActivityContext.TryParse(link, null, isRemote: true, out var linked) ? new[] { new ActivityLink(linked) } : null;
        var tags = new KeyValuePair<string, object?>[]
        {
            new("messaging.system", "hangfire"), new("messaging.operation.type", "process"),
            new("messaging.destination.name", job), new("messaging.message.id", jobId),
        };
        // Else a job without a parent would take for it what was current when its worker was started.
        Activity.Current = null;
        if (Source.StartActivity($"process {job}", ActivityKind.Consumer, context, tags, links) is { } exported)
            return exported;
        var activity = new Activity($"process {job}").SetIdFormat(ActivityIdFormat.W3C);
        if (context != default)
            activity.SetParentId(context.TraceId, context.SpanId, context.TraceFlags);
        return activity.Start();
    }
}

/// <summary>The state of a new job, with the trace that it goes on with.</summary>
internal sealed class TracedState : EnqueuedState, IState
{
    private readonly Dictionary<string, string> _data;

    public TracedState()
    {
        _data = SerializeData();
        JobTrace.Write(_data, goesOn: true);
    }

    Dictionary<string, string> IState.SerializeData() => _data;
}

/// <summary>Opens a job's span where it runs.</summary>
internal sealed partial class JobTraceFilter(NpgsqlDataSource dataSource, ILogger<JobTraceFilter> logger) : IServerFilter
{
    private const string Item = nameof(JobTrace);

    public void OnPerforming(PerformingContext context)
    {
        var id = context.BackgroundJob.Id;
        var (parent, link) = Read(id);
        context.Items[Item] = JobTrace.Start(context.BackgroundJob.Job.Type.Name, id, parent, link);
    }

    public void OnPerformed(PerformedContext context)
    {
        if (!context.Items.TryGetValue(Item, out var item) || item is not Activity activity)
            return;
        var exception = context.Exception is JobPerformanceException { InnerException: { } inner } ? inner : context.Exception;
        // One that has to come back, or was stopped, has not failed. No text: it may hold anything.
        if (exception is not (null or JobPostponedException or JobAbortedException or OperationCanceledException))
        {
            activity.SetStatus(ActivityStatusCode.Error);
            activity.SetTag("error.type", exception is JobFailedException failed ? failed.Code : exception.GetType().FullName);
        }

        activity.Dispose();
    }

    /// <summary>
    /// The latest trace that enqueued the job. What Hangfire itself enqueues again, a retry or a job in the dashboard, goes on with it.
    /// </summary>
    private (string? Parent, string? Link) Read(string jobId)
    {
        try
        {
            using var command = dataSource.CreateCommand(HangfireTables.TraceOf);
            command.Parameters.Add(new() { Value = long.Parse(jobId, CultureInfo.InvariantCulture) });
            using var trace = command.ExecuteReader();
            return trace.Read() ? (trace.IsDBNull(0) ? null : trace.GetString(0), trace.IsDBNull(1) ? null : trace.GetString(1)) : default;
        }
        // The job will say so itself, if it still is so.
        catch (Exception exception) when (exception is PostgresException || DatabaseOutage.IsCauseOf(exception))
        {
            LogNotRead(exception, jobId);
            return default;
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The trace that enqueued job {JobId} could not be read; it begins one of its own")]
    private partial void LogNotRead(Exception exception, string jobId);
}
