using Npgsql;

namespace DataService.Benchmarks.Chaos;

/// <summary>What the run reads from the database, past the service.</summary>
internal sealed class ChaosDatabase(NpgsqlDataSource dataSource)
{
    /// <summary>Jobs that Hangfire has not come to the end of.</summary>
    public async Task<long> CountLiveJobsAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            "SELECT count(*) FROM hangfire.job WHERE statename IN ('Enqueued', 'Processing', 'Scheduled', 'Awaiting')");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task<List<ProjectRow>> ReadProjectsAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            SELECT p.id, p.slug, p.github_repo,
                concat_ws(', ',
                    CASE WHEN p.approved_at IS NULL THEN 'not approved' END,
                    'creation ' || coalesce(c.state, 'none'), c.error_code, c.github_error,
                    'next attempt ' || c.next_attempt_at, 'job ' || coalesce(j.statename, 'none'))
            FROM projects p LEFT JOIN repo_creations c ON c.project_id = p.id LEFT JOIN hangfire.job j ON j.id::text = c.job_id
            """);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ProjectRow> projects = [];
        while (await rows.ReadAsync(cancellationToken))
            projects.Add(new(rows.GetGuid(0), rows.GetString(1), rows.IsDBNull(2) ? null : rows.GetString(2), rows.GetString(3)));
        return projects;
    }

    /// <summary>Every state of every job, in the order in which they were written.</summary>
    public async Task<List<JobState>> ReadJobStatesAsync(CancellationToken cancellationToken)
    {
        await using var command = dataSource.CreateCommand(
            """
            SELECT j.id, p.slug, s.name, s.createdat, s.data ->> 'ServerId'
            FROM hangfire.state s JOIN hangfire.job j ON j.id = s.jobid
                LEFT JOIN projects p ON p.id::text = substring(j.arguments::text FROM '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')
            ORDER BY s.id
            """);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<JobState> states = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            states.Add(new(
                rows.GetInt64(0), rows.IsDBNull(1) ? null : rows.GetString(1), rows.GetString(2), rows.GetDateTime(3),
                rows.IsDBNull(4) ? null : rows.GetString(4)));
        }

        return states;
    }
}
