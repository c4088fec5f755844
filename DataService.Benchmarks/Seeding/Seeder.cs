using System.Diagnostics;
using System.Globalization;
using DataService.Domain;
using DataService.Jobs;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;
using Npgsql;

namespace DataService.Benchmarks.Seeding;

/// <summary>
/// Fills a migrated database with projects as a long life leaves them: set-based, in one transaction, and without the indexes, which are built
/// again in the end. Half of the failures came at once, as they do when a token expires; the others here and there.
/// </summary>
/// <param name="connectionString">The role owns the tables.</param>
/// <param name="options">How many.</param>
/// <param name="progress">Told of each step.</param>
internal sealed class Seeder(string connectionString, SeedOptions options, TextWriter progress)
{
    private const string Tables =
        "'projects'::regclass, 'repo_creations'::regclass, 'creation_events'::regclass, 'audit_entries'::regclass, "
        + "'hangfire.job'::regclass, 'hangfire.state'::regclass, 'hangfire.jobparameter'::regclass";

    private static readonly Guid Placeholder = Guid.Parse("01234567-89ab-7def-8123-456789abcdef");

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <exception cref="NotSeededException">The database holds projects, or is not migrated.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        await RefuseAsync(connection, cancellationToken);
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            await ExecuteAsync(connection, "SET LOCAL synchronous_commit = off; SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '512MB'", cancellationToken);
            await StepAsync("indexes and foreign keys put aside", connection, PutAside, cancellationToken);
            await StepAsync("drawn", connection, Draw, cancellationToken);
            await StepAsync("projects", connection, Projects, cancellationToken);
            await StepAsync("creations", connection, Creations, cancellationToken);
            await StepAsync("jobs", connection, Jobs, cancellationToken);
            await StepAsync("states of the jobs", connection, States, cancellationToken);
            await StepAsync("events", connection, Events, cancellationToken);
            await StepAsync("audit", connection, Audit, cancellationToken);
            await StepAsync("indexes and foreign keys again", connection, TakeBack, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }

        await StepAsync("vacuumed and analyzed", connection, "VACUUM ANALYZE", cancellationToken);
    }

    private async Task RefuseAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (await ScalarAsync(connection, "SELECT to_regclass('repo_creations') IS NULL", cancellationToken) is true)
            throw new NotSeededException("The database is not migrated: run DataService --migrate-only on it first.");
        if (!options.Add && await ScalarAsync(connection, "SELECT EXISTS (SELECT FROM projects)", cancellationToken) is true)
            throw new NotSeededException("The database holds projects already. If they may be mixed with made up ones, say so with --add.");
    }

    private async Task StepAsync(string what, NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await ExecuteAsync(connection, sql, cancellationToken);
        await progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{_clock.Elapsed.TotalSeconds,4:0} s  {what}"));
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var (name, value) in Values().Where(value => sql.Contains($"@{value.Name}", StringComparison.Ordinal)))
            command.Parameters.AddWithValue(name, value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken);
    }

    private IEnumerable<(string Name, object Value)> Values()
    {
        var call = InvocationData.SerializeJob(Job.FromExpression<CreateProjectRepoJob>(job => job.RunAsync(Placeholder, null!, CancellationToken.None)));
        var failures = SeededFailure.All;
        return
        [
            ("count_failed", options.Failed), ("count_created", options.Created), ("dice", options.Seed),
            ("invocation", SerializationHelper.Serialize(call)), ("arguments", call.Arguments), ("placeholder", Placeholder.ToString()), ("slug_here", SeededFailure.Slug),
            ("queued", SerializationHelper.Serialize(new EnqueuedState().SerializeData())),
            ("shares", failures.Select(failure => failure.Share).ToArray()), ("codes", failures.Select(failure => failure.Failure?.Kind.Code).ToArray()),
            ("statuses", failures.Select(failure => failure.Failure?.GithubStatus).ToArray()), ("texts", failures.Select(failure => failure.Text).ToArray()),
            ("states", failures.Select(failure => failure.State.Name).ToArray()), ("datas", failures.Select(failure => failure.State.StateData).ToArray()),
            ("retries", failures.Select(failure => failure.Retries).ToArray()),
        ];
    }

    private const string PutAside =
        $"""
         CREATE TEMP TABLE aside ON COMMIT DROP AS
         SELECT 2 AS turn, format('DROP INDEX %s', indexrelid::regclass) AS away, pg_get_indexdef(indexrelid) AS back
         FROM pg_index WHERE indrelid IN ({Tables}) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
         UNION ALL
         SELECT 1, format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname), format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
         FROM pg_constraint WHERE contype = 'f' AND conrelid IN ({Tables});
         DO $$ DECLARE way record; BEGIN FOR way IN SELECT away FROM aside ORDER BY turn LOOP EXECUTE way.away; END LOOP; END $$;
         """;

    private const string TakeBack = "DO $$ DECLARE way record; BEGIN FOR way IN SELECT back FROM aside ORDER BY turn DESC LOOP EXECUTE way.back; END LOOP; END $$";

    /// <summary>In the order of time, as the rows of a real table stand; ids are of version 7, and so in that order too.</summary>
    private const string Draw =
        """
        SELECT setseed(@dice);
        CREATE TEMP TABLE way ON COMMIT DROP AS
        SELECT sum(share) OVER (ORDER BY i) - share AS low, sum(share) OVER (ORDER BY i) AS high, code, status, text, last, data, retries
        FROM unnest(@shares, @codes, @statuses, @texts, @states, @datas, @retries) WITH ORDINALITY AS t(share, code, status, text, last, data, retries, i);
        CREATE TEMP TABLE drawn ON COMMIT DROP AS
        WITH moment AS (
            SELECT true AS failed,
                now() - CASE WHEN random() < 0.5 THEN random() * interval '400 days' ELSE ceil(random() * 5) * interval '37 days' + random() * interval '2 hours' END AS at
            FROM generate_series(1, @count_failed)
            UNION ALL SELECT false, now() - random() * interval '400 days' FROM generate_series(1, @count_created)),
        numbered AS (
            SELECT failed, at, random() AS dice, row_number() OVER (ORDER BY at) + (SELECT count(*) FROM projects) AS n,
                (ARRAY['Bright', 'Calm', 'Daring', 'Eager', 'Fresh', 'Gentle', 'Honest', 'Keen', 'Lively', 'Modern', 'Noble', 'Open', 'Proud', 'Quick', 'Rapid', 'Solid'])[1 + floor(random() * 16)::int]
                || ' ' || (ARRAY['Harbor', 'Meadow', 'Forge', 'Orchard', 'Summit', 'Lantern', 'Bridge', 'Canyon', 'Compass', 'Garden', 'Island', 'Market', 'Prairie', 'River', 'Studio', 'Valley'])[1 + floor(random() * 16)::int]
                AS words
            FROM moment)
        SELECT n, failed, at, words || ' Client ' || n AS name, lower(replace(words, ' ', '-')) || '-client-' || n AS slug,
            (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid AS id,
            failed OR at > now() - interval '7 days' AS has_job, failed OR at > now() - interval '90 days' AS has_events,
            way.code, way.status, way.text, way.last, way.data, way.retries,
            nextval('hangfire.job_id_seq') AS job_id, nextval('hangfire.state_id_seq') AS queued_id, nextval('hangfire.state_id_seq') AS begun_id, nextval('hangfire.state_id_seq') AS ended_id
        FROM numbered LEFT JOIN way ON failed AND dice >= low AND dice < high
        ORDER BY n;
        ANALYZE drawn;
        """;

    private const string Projects =
        """
        INSERT INTO projects (id, name, slug, status, github_repo, approved_at, created_at, github_repo_id)
        SELECT id, name, slug, 'review', CASE WHEN NOT failed THEN 'auditmos-projects/' || slug END, at, at - interval '2 hours', CASE WHEN NOT failed THEN 500000000 + n END
        FROM drawn ORDER BY n
        """;

    private const string Creations =
        """
        INSERT INTO repo_creations (project_id, state, job_id, attempts, retries, repository_name, error_code, github_status, github_error, updated_at, run, called)
        SELECT id, CASE WHEN failed THEN 'failed' ELSE 'created' END, job_id::text, 1 + coalesce(retries, 0), coalesce(retries, 0), slug, code, status, text,
            at + interval '3 s', 1 + coalesce(retries, 0), lower(slug || E'\n' || name)
        FROM drawn ORDER BY n
        """;

    private const string Jobs =
        """
        INSERT INTO hangfire.job (id, stateid, statename, invocationdata, arguments, createdat, expireat)
        SELECT job_id, ended_id, coalesce(last, 'Succeeded'), replace(@invocation, @placeholder, id::text)::jsonb, replace(@arguments, @placeholder, id::text)::jsonb, at,
            CASE WHEN NOT failed THEN at + interval '7 days' WHEN last = 'Deleted' THEN now() + interval '1 day' END
        FROM drawn WHERE has_job ORDER BY n;
        INSERT INTO hangfire.jobparameter (jobid, name, value) SELECT job_id, 'RetryCount', retries::text FROM drawn WHERE retries > 0 ORDER BY n;
        INSERT INTO hangfire.counter (key, value) VALUES ('stats:succeeded', @count_created);
        """;

    private const string States =
        """
        INSERT INTO hangfire.state (id, jobid, name, reason, createdat, data)
        SELECT s.id, job_id, s.name, s.reason, s.at, s.data
        FROM drawn, LATERAL (
            SELECT (extract(epoch FROM at) * 1000)::bigint AS ms) t, LATERAL (VALUES
            (queued_id, 'Enqueued', NULL, at, @queued::jsonb || jsonb_build_object('EnqueuedAt', ms::text)),
            (begun_id, 'Processing', NULL, at + interval '1 s', jsonb_build_object(
                'StartedAt', (ms + 1000)::text, 'ServerId', 'seeded:1:5a2d7c3e-4b1f-4f0a-9c8d-7e6f5a4b3c2d', 'WorkerId', '0b9a8f7e-6d5c-4b3a-8f1e-2d3c4b5a6978')),
            (ended_id, coalesce(last, 'Succeeded'), CASE WHEN last = 'Failed' THEN coalesce(code, '') || ': ' || text END, at + interval '3 s',
                CASE WHEN failed THEN replace(drawn.data, @slug_here, slug)::jsonb || jsonb_build_object(last || 'At', (ms + 3000)::text)
                    ELSE jsonb_build_object('SucceededAt', (ms + 3000)::text, 'PerformanceDuration', '1874', 'Latency', '1126') END)) AS s(id, name, reason, at, data)
        WHERE has_job ORDER BY n, s.id
        """;

    private const string Events =
        """
        INSERT INTO creation_events (project_id, at, kind, text, attempt, job_id, code, github_status)
        SELECT drawn.id, e.at, e.kind, e.text, e.attempt, job_id::text, e.code, e.status
        FROM drawn, LATERAL (VALUES
            (at, 'enqueued', 'Waits for a worker.', NULL, NULL, NULL),
            (at + interval '1 s', 'attempt_started', 'Begins with the name ' || slug || '.', 1, NULL, NULL),
            (at + interval '3 s', CASE WHEN failed THEN 'failed' ELSE 'created' END, coalesce(drawn.text, 'auditmos-projects/' || slug), 1, drawn.code, drawn.status))
            AS e(at, kind, text, attempt, code, status)
        WHERE has_events ORDER BY n, e.at
        """;

    private const string Audit =
        """
        INSERT INTO audit_entries (at, actor, origin, action, project_id, slug, count, request_id)
        SELECT at, CASE WHEN n % 10 = 0 THEN 'alice@example.com' ELSE 'api token' END, CASE WHEN n % 10 = 0 THEN 'dashboard' ELSE 'rest' END, 'approve', id, slug, 1, md5(n::text)
        FROM drawn ORDER BY n
        """;
}
