using DataService.Jobs;
using Hangfire.Common;
using Hangfire.Storage;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace DataService.Tests.Support;

/// <summary>Creations in numbers that nobody waits for to come about by themselves.</summary>
internal static class StoredCreations
{
    /// <summary>Leaves out this instance's workers and its recurring jobs: nothing but the test changes a job.</summary>
    public static void WithoutWorkers(IServiceCollection services)
    {
        foreach (var hosted in services.Where(service => service.ServiceType == typeof(IHostedService)
            && (service.ImplementationType == typeof(RecurringJobs) || service.ImplementationFactory?.Method.Module.Name.StartsWith("Hangfire", StringComparison.Ordinal) is true)).ToList())
            services.Remove(hosted);
    }

    /// <summary>Adds approved projects whose creation has failed, with their jobs, as the service leaves them: the first one has waited longest.</summary>
    /// <returns>The slugs.</returns>
    public static async Task<string[]> AddFailedAsync(this RunningService service, int count, string code = "GITHUB_FORBIDDEN", string name = "failed")
    {
        await using var connection = new NpgsqlConnection(service.ConnectionString);
        await connection.OpenAsync();
        return await AddFailedAsync(connection, count, code, name);
    }

    /// <inheritdoc cref="AddFailedAsync(RunningService, int, string, string)"/>
    public static async Task<string[]> AddFailedAsync(NpgsqlConnection connection, int count, string code = "GITHUB_FORBIDDEN", string name = "failed")
    {
        var placeholder = Guid.NewGuid();
        var call = InvocationData.SerializeJob(Job.FromExpression<CreateProjectRepoJob>(job => job.RunAsync(placeholder, null!, CancellationToken.None)));
        await using var command = new NpgsqlCommand(
            """
            WITH project AS (
                INSERT INTO projects (id, name, slug, status, approved_at, created_at)
                SELECT gen_random_uuid(), 'The ' || @name || ' ' || i, @name || '-' || i, 'review', now(), now() FROM generate_series(1, @count) i RETURNING id, slug),
            job AS (
                INSERT INTO hangfire.job (invocationdata, arguments, createdat, stateid, statename)
                SELECT replace(@invocation, @placeholder, id::text)::jsonb, replace(@arguments, @placeholder, id::text)::jsonb, now(), nextval('hangfire.state_id_seq'), 'Failed'
                FROM project RETURNING id, arguments, stateid),
            state AS (
                INSERT INTO hangfire.state (id, jobid, name, reason, createdat, data) SELECT stateid, id, 'Failed', @code, now(), '{"FailedAt":"1"}' FROM job)
            INSERT INTO repo_creations (project_id, state, job_id, attempts, retries, error_code, github_status, github_error, run, updated_at)
            SELECT project.id, 'failed', job.id::text, 1, 0, @code, 403, 'Resource not accessible', 1,
                date_trunc('hour', now()) - interval '1 day' + substring(project.slug from '[0-9]+$')::int * interval '1 ms'
            FROM project JOIN job ON job.arguments ->> 0 = '"' || project.id || '"'
            """, connection)
        {
            Parameters =
            {
                new("name", name), new("count", count), new("code", code), new("invocation", SerializationHelper.Serialize(call)), new("arguments", call.Arguments),
                new("placeholder", placeholder.ToString()),
            },
        };
        Assert.Equal(count, await command.ExecuteNonQueryAsync());
        return [.. Enumerable.Range(1, count).Select(i => $"{name}-{i}")];
    }
}
