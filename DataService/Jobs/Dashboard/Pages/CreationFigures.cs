using System.Globalization;
using DataService.Data;
using DataService.GitHub;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace DataService.Jobs.Dashboard.Pages;

/// <param name="Waiting">Creations that a job is at, or will be.</param>
/// <param name="Failed">Creations that nothing will be done about by itself.</param>
/// <param name="CreatedToday">Since midnight, UTC.</param>
/// <param name="PausedSince">UTC; null where creation goes on.</param>
/// <param name="PauseReason">For people.</param>
/// <param name="LimitedUntil">UTC; until then GitHub wants no content.</param>
/// <param name="Used">What is used of each limit of the budget.</param>
internal sealed record CreationFigures(
    int Waiting, int Failed, int CreatedToday, DateTime? PausedSince, string? PauseReason, DateTime? LimitedUntil, int[] Used);

/// <summary>
/// The figures that each open page of the dashboard asks for every two seconds: asked of the database once in that time, however many
/// pages are open.
/// </summary>
internal sealed class CreationFigureCache(IServiceScopeFactory scopes, GitHubOptions gitHub, TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();

    private (CreationFigures Figures, long At)? _read;

    /// <summary>The limit that is given out most slowly: what is left of it tells whether creations will wait. Null where there is none.</summary>
    public ContentLimit? Limit { get; } = gitHub.ContentBudget is [] ? null : gitHub.ContentBudget.MinBy(limit => limit.Calls / limit.Period.TotalSeconds);

    /// <summary>At most two seconds old.</summary>
    public CreationFigures Read()
    {
        lock (_lock)
        {
            if (_read is { } read && time.GetElapsedTime(read.At) < Fresh)
                return read.Figures;
            var figures = Query();
            _read = (figures, time.GetTimestamp());
            return figures;
        }
    }

    /// <summary>How many calls the slowest limit still has.</summary>
    public int? Left(CreationFigures figures) =>
        Limit is { } limit ? Math.Max(0, limit.Calls - figures.Used[gitHub.ContentBudget.Index().First(known => known.Item == limit).Index]) : null;

    /// <summary>How long so many creations take at least; null where there is no limit, or where it takes no time worth a word.</summary>
    public string? Duration(int creations)
    {
        if (Limit is not { } limit || limit.Period * ((double)creations / limit.Calls) is var least && least < TimeSpan.FromMinutes(2))
            return null;
        return least < TimeSpan.FromHours(2) ? string.Create(CultureInfo.InvariantCulture, $"{least.TotalMinutes:N0} minutes")
            : least < TimeSpan.FromDays(2) ? string.Create(CultureInfo.InvariantCulture, $"{least.TotalHours:N0} hours")
            : string.Create(CultureInfo.InvariantCulture, $"{least.TotalDays:N0} days");
    }

    private CreationFigures Query()
    {
        using var scope = scopes.CreateScope();
        return scope.ServiceProvider.GetRequiredService<DataServiceDbContext>().Database.SqlQueryRaw<CreationFigures>(
            """
            SELECT (SELECT count(*) FROM repo_creations WHERE state IN ('queued', 'creating', 'retrying'))::int AS waiting,
                (SELECT count(*) FROM repo_creations WHERE state = 'failed')::int AS failed,
                (SELECT count(*) FROM repo_creations WHERE state = 'created' AND updated_at >= date_trunc('day', now(), 'UTC'))::int AS created_today,
                p.since AS paused_since, p.reason AS pause_reason,
                (SELECT limited_until FROM github_quotas WHERE credential = @credential AND limited_until > now()) AS limited_until,
                ARRAY(
                    SELECT (SELECT count(*) FROM content_calls c WHERE c.credential = @credential AND c.at > now() - l.seconds * interval '1 s')::int
                    FROM unnest(@seconds) WITH ORDINALITY AS l (seconds, place) ORDER BY l.place) AS used
            FROM (SELECT 1) AS always LEFT JOIN creation_pause p ON true
            """,
            new NpgsqlParameter("credential", gitHub.Credential),
            new NpgsqlParameter("seconds", gitHub.ContentBudget.Select(limit => limit.Period.TotalSeconds).ToArray())).Single();
    }
}
