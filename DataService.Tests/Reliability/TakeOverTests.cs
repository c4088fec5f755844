using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.Reliability;

/// <summary>Two instances share the work: one is told to stop in the middle of a creation, or freezes and wakes up again.</summary>
public sealed class TakeOverTests(PostgresCluster cluster) : IAsyncLifetime
{
    private const string Slug = "shared";

    private Deployment? _deployment;
    private ServiceProcess? _first;

    private Deployment Deployment => _deployment ?? throw new InvalidOperationException("Nothing is deployed.");

    private ServiceProcess First => _first ?? throw new InvalidOperationException("Nothing is deployed.");

    public async ValueTask InitializeAsync()
    {
        _deployment = await Deployment.CreateAsync(cluster);
        _first = await _deployment.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_deployment is not null)
            await _deployment.DisposeAsync();
    }

    [Fact]
    public async Task SIGTERM_during_a_POST_hands_the_creation_to_another_instance_which_finds_what_was_made()
    {
        Deployment.GitHub.Faults.Add(new FaultRule { Kind = FaultKind.StalledBody, Method = "POST", Times = 1 });
        await ApproveAsync();
        await Deployment.GitHub.ReceivesCreationAsync(Slug);
        await Deployment.StartAsync();

        await First.SignalAsync("TERM");

        Assert.Equal(0, await First.ExitCodeAsync());
        // What the first one had kept would come back after 10 s, and never now: only what it has handed over goes on.
        await Deployment.QueryAsync<object>("DELETE FROM hangfire.jobqueue WHERE fetchedat IS NOT NULL");
        Deployment.GitHub.HasExactlyOneRepositoryOf(await Deployment.ComesToRestAsync(Slug));
        Assert.Single(Deployment.GitHub.CreationsOf(Slug));
    }

    [Fact]
    public async Task An_instance_that_wakes_up_in_the_middle_of_its_POST_changes_nothing_that_another_has_done_meanwhile()
    {
        var held = Deployment.GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Hang, Method = "POST", Times = 1 });
        await ApproveAsync();
        var post = await Deployment.GitHub.ReceivesCreationAsync(Slug);
        await First.SignalAsync("STOP");
        await Deployment.StartAsync();
        await Deployment.ComesToRestAsync(Slug);

        Deployment.GitHub.Faults.Remove(held.Id);
        await Eventually.ReturnsAsync(() => Task.FromResult(post.Status), status => status is 422, "the first POST to be answered");
        await WakeAndEndFirstAsync();

        Deployment.GitHub.HasExactlyOneRepositoryOf(await Deployment.ComesToRestAsync(Slug));
        Assert.Equal(2, Deployment.GitHub.CreationsOf(Slug).Count);
    }

    [Fact]
    public async Task An_instance_that_wakes_up_before_its_suffix_tries_none_where_another_has_made_one_meanwhile()
    {
        Deployment.GitHub.AddStranger(Slug);
        var held = Deployment.GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Hang, Method = "GET", Name = Slug, Times = 1 });
        await ApproveAsync();
        var look = await Deployment.GitHub.ReceivesLookAsync(Slug);
        await First.SignalAsync("STOP");
        await Deployment.StartAsync();
        await Deployment.ComesToRestAsync(Slug);

        Deployment.GitHub.Faults.Remove(held.Id);
        await Eventually.ReturnsAsync(() => Task.FromResult(look.Status), status => status is 200, "the first look to be answered");
        await WakeAndEndFirstAsync();

        Deployment.GitHub.HasExactlyOneRepositoryOf(await Deployment.ComesToRestAsync(Slug));
        Assert.Single(Deployment.GitHub.CreationsOf($"{Slug}-*"));
    }

    private async Task ApproveAsync()
    {
        await Deployment.CreateProjectAsync(Slug);
        await Deployment.ApproveAsync(Slug);
    }

    /// <summary>
    /// Has it go on with what it holds, and end. Hangfire would tell it that the job is another's now, within 5 s and mostly at once.
    /// Nothing may hang on that luck, so Hangfire is made to believe that it still is its own.
    /// </summary>
    private async Task WakeAndEndFirstAsync()
    {
        await SetStateAsync("min", "Processing");
        await First.SignalAsync("CONT");
        // Told to stop, it brings to an end what it has begun: so all that it would ever do is done then.
        await First.SignalAsync("TERM");
        Assert.Equal(0, await First.ExitCodeAsync());
        // Nor has it told Hangfire anything: the state is as it was found.
        Assert.Equal("Processing", await Deployment.QueryAsync<string>("SELECT statename FROM hangfire.job WHERE id = (SELECT job_id::bigint FROM repo_creations)"));
        await SetStateAsync("max", "Succeeded");
    }

    private Task<object?> SetStateAsync(string which, string name) => Deployment.QueryAsync<object>(
        $"""
         UPDATE hangfire.job SET statename = '{name}', stateid = (SELECT {which}(state.id) FROM hangfire.state WHERE jobid = job.id AND name = '{name}')
         WHERE id = (SELECT job_id::bigint FROM repo_creations)
         """);
}
