using System.Diagnostics.Metrics;
using System.Threading.Channels;
using DataService.Domain;
using DataService.GitHub;
using Npgsql;

namespace DataService.Jobs;

/// <summary>
/// What all instances share, for monitoring: the queue, the creations that are not at their end, the budget, the pause. One reader asks the
/// database, every few seconds and only while somebody looks; a scrape shows what it read last and never waits.
/// </summary>
internal sealed partial class SharedFigures : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Above any interval of scrapes.</summary>
    private static readonly TimeSpan Interest = TimeSpan.FromMinutes(5);

    /// <summary>It rests so many times as long as a reading has taken, however slow the database is.</summary>
    private const int LeastRest = 20;

    private static readonly RepoCreationState[] States = [RepoCreationState.Queued, RepoCreationState.Creating, RepoCreationState.Retrying];

    private const string Sql =
        $"""
         {HangfireTables.Figures}
         UNION ALL
         SELECT 'creation.pending', state, count(*)::float8 FROM repo_creations
         WHERE state IN ('queued', 'creating', 'retrying') GROUP BY state
         UNION ALL
         SELECT 'creation.waiting', waits_for, count(*)::float8 FROM repo_creations
         WHERE state IN ('queued', 'retrying') AND waits_for IS NOT NULL GROUP BY waits_for
         UNION ALL
         SELECT 'creation.failed', coalesce(error_code, 'NONE'), count(*)::float8 FROM repo_creations
         WHERE state = 'failed' GROUP BY error_code
         UNION ALL
         SELECT 'creation.paused', CASE WHEN credential IS NULL THEN 'person' ELSE 'refusal' END, 1 FROM creation_pause
         UNION ALL
         SELECT 'github.limited', NULL, coalesce((
             SELECT extract(epoch FROM greatest(limited_until - now(), interval '0'))::float8 FROM github_quotas WHERE credential = $1), 0)
         UNION ALL
         SELECT 'github.budget.remaining', l.label, greatest(0, l.calls - (
             SELECT count(*) FROM content_calls c WHERE c.credential = $1 AND c.at > now() - l.period))::float8
         FROM unnest($2, $3, $4) AS l (label, calls, period)
         """;

    private readonly NpgsqlDataSource _dataSource;
    private readonly GitHubOptions _gitHub;
    private readonly TimeProvider _time;
    private readonly ILogger<SharedFigures> _logger;
    private readonly Channel<bool> _interest = Channel.CreateBounded<bool>(1);
    private long _lookedAt;
    private volatile Reading? _reading;

    public SharedFigures(
        NpgsqlDataSource dataSource, GitHubOptions gitHub, IMeterFactory meters, TimeProvider time, ILogger<SharedFigures> logger)
    {
        (_dataSource, _gitHub, _time, _logger) = (dataSource, gitHub, time, logger);
        var meter = meters.Create(GitHubMetrics.MeterName);
        void Add(string name, string? unit, string description, string? label = null, params string[] always) =>
            meter.CreateObservableGauge($"dataservice.{name}", () => Observe(name, label, always), unit, description);
        Add("queue.depth", "{job}", "Jobs that wait for a worker.");
        Add("queue.age", "s", "How long the job at the head of the queue has waited for a worker.");
        Add("hangfire.servers", "{server}", "Instances whose workers have shown within a minute that they are alive.");
        string[] states = [.. States.Select(Words<RepoCreationState>.Of)];
        Add("creation.pending", "{creation}", "Creations that go on by themselves, by state.", "state", states);
        Add("creation.waiting", "{creation}", "Creations whose job lets time pass, by reason.", "reason", [.. Words<WaitReason>.All]);
        Add("creation.failed", "{creation}", "Creations that wait for a person, by code; NONE where the job was deleted.", "error.type");
        Add("creation.paused", null, "1 while creation is paused: by a person, or by GitHub's refusal of the token.", "reason", "person", "refusal");
        Add("github.limited", "s", "Time until the limit ends that GitHub has put on the token; 0 without one.");
        Add("github.budget.remaining", "{call}", "Calls that may still create something on GitHub, by limit.", "limit");
        meter.CreateObservableGauge(
            "dataservice.database.up", ObserveDatabase, null, "Whether the database answered when this instance last read its figures.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            if (_reading is null || _time.GetElapsedTime(Volatile.Read(ref _lookedAt)) > Interest)
                await _interest.Reader.ReadAsync(stoppingToken);
            var started = _time.GetTimestamp();
            _reading = new Reading(await TryReadAsync(stoppingToken));
            var rest = _time.GetElapsedTime(started) * LeastRest;
            await Task.Delay(rest > Interval ? rest : Interval, _time, stoppingToken);
        }
    }

    /// <returns>Null where the database is away: old figures would say that all is well.</returns>
    private async Task<ILookup<string, Figure>?> TryReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var command = _dataSource.CreateCommand(Sql);
            command.Parameters.Add(new() { Value = _gitHub.Credential });
            command.Parameters.Add(new() { Value = _gitHub.ContentBudget.Select(limit => limit.ToString()).ToArray() });
            command.Parameters.Add(new() { Value = _gitHub.ContentBudget.Select(limit => limit.Calls).ToArray() });
            command.Parameters.Add(new() { Value = _gitHub.ContentBudget.Select(limit => limit.Period).ToArray() });
            var figures = new List<Figure>();
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
                figures.Add(new Figure(rows.GetString(0), rows.IsDBNull(1) ? null : rows.GetString(1), rows.GetDouble(2)));
            return figures.ToLookup(figure => figure.Name);
        }
        catch (NpgsqlException exception)
        {
            LogNotRead(exception.Message);
            return null;
        }
    }

    /// <param name="name">Of the figure.</param>
    /// <param name="label">Null where there is one value.</param>
    /// <param name="always">The label's values that are 0 where nothing is counted: a series that comes and goes is hard to alert on.</param>
    private IEnumerable<Measurement<double>> Observe(string name, string? label, string[] always)
    {
        Look();
        if (_reading?.Figures is not { } figures)
            return [];
        if (label is null)
            return figures[name].Select(figure => new Measurement<double>(figure.Value));
        var zeros = always.Except(figures[name].Select(figure => figure.Label)).Select(missing => new Figure(name, missing, 0));
        return figures[name].Concat(zeros)
            .Select(figure => new Measurement<double>(figure.Value, new KeyValuePair<string, object?>(label, figure.Label)));
    }

    private Measurement<int>[] ObserveDatabase()
    {
        Look();
        return _reading is { } reading ? [new(reading.Figures is null ? 0 : 1)] : [];
    }

    private void Look()
    {
        Volatile.Write(ref _lookedAt, _time.GetTimestamp());
        _interest.Writer.TryWrite(true);
    }

    /// <param name="Figures">Null where the database was away.</param>
    private sealed record Reading(ILookup<string, Figure>? Figures);

    /// <param name="Name">The instrument's, without what all begin with.</param>
    /// <param name="Label">Null where there is one value.</param>
    /// <param name="Value">In the instrument's unit.</param>
    private sealed record Figure(string Name, string? Label, double Value);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not tell the figures for monitoring: {Reason}")]
    private partial void LogNotRead(string reason);
}
