using DataService.Jobs;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using Hangfire;
using Hangfire.States;

namespace DataService.Tests.Jobs;

/// <summary>Who enqueues a job that waits: Hangfire's scheduler, at the job's time, or a person, before it.</summary>
public sealed class RepoCreationTrackingTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    protected override Dictionary<string, string?> Settings => new() { ["Jobs:FirstRetryDelay"] = "01:00:00" };

    private IBackgroundJobClient Jobs => Service.Services.GetRequiredService<IBackgroundJobClient>();

    [Fact]
    public async Task The_scheduler_is_not_taken_for_a_person_where_the_job_comes_back_before_the_creations_retry()
    {
        var (slug, jobId) = await WaitingAsync();

        // As after a wait for another run's lease: that run has written down its retry meanwhile.
        Assert.True(Jobs.ChangeState(jobId, new PostponedState(DateTime.UtcNow), ScheduledState.StateName));
        await Eventually.ReturnsAsync(
            async () => await Service.QueryAsync<string>(
                $"""
                 SELECT coalesce(string_agg(name, ' ' ORDER BY id), '') FROM hangfire.state
                 WHERE jobid = {jobId} AND id > (SELECT min(id) FROM hangfire.state WHERE name = 'Scheduled')
                 """) ?? "",
            names => names.Contains("Processing", StringComparison.Ordinal) && names.EndsWith("Scheduled", StringComparison.Ordinal), "the job to come back, and to wait for its retry");

        Assert.Single(Service.GitHub.Requests.Of("POST", "/orgs/*/repos"));
        Assert.Equal(1, await Service.QueryAsync<int>("SELECT retries FROM repo_creations"));
        Assert.Equal(1L, await Service.QueryAsync<long>("SELECT count(*) FROM creation_events WHERE kind = 'enqueued'"));
        var creation = (await Service.GetProjectAsync(slug)).GetProperty("repoCreation");
        Assert.Equal("retrying", creation.GetProperty("state").GetString());
        Assert.InRange(creation.GetProperty("nextAttemptAt").GetDateTime(), DateTime.UtcNow.AddMinutes(30), DateTime.MaxValue);
    }

    [Fact]
    public async Task A_person_who_enqueues_it_before_its_time_has_it_run_at_once()
    {
        var (slug, jobId) = await WaitingAsync();

        Assert.True(Jobs.Requeue(jobId, ScheduledState.StateName));

        await Service.CreationReachesAsync(slug, "created");
        Assert.Equal(2L, await Service.QueryAsync<long>("SELECT count(*) FROM creation_events WHERE kind = 'enqueued'"));
    }

    /// <summary>A creation that has failed once and waits an hour.</summary>
    private async Task<(string Slug, string JobId)> WaitingAsync()
    {
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Method = "POST", Times = 1 });
        var slug = await Service.CreateProjectAsync("Waiting");
        await Service.ApproveAsync(slug);
        var jobId = (await Service.CreationReachesAsync(slug, "retrying")).GetProperty("repoCreation").GetProperty("jobId").GetString()!;
        await Service.JobReachesAsync(jobId, ScheduledState.StateName);
        return (slug, jobId);
    }
}
