using DataService.Tests.Support;
using GitHubSimulator.Faults;
using GitHubSimulator.Requests;

namespace DataService.Tests.Reliability;

/// <summary>
/// An instance is killed at each point of the way to a repository, and another one goes on. The points are set from outside: by locks
/// on rows, by a GitHub that holds its answer, and by a relay before it.
/// </summary>
/// <param name="cluster">Where the database is made.</param>
/// <param name="isTaken">Whether a stranger has the slug, and the points are those of the suffixed name.</param>
public abstract class CrashMatrixTests(PostgresCluster cluster, bool isTaken) : IAsyncLifetime
{
    private const string Slug = "mortal";

    private Deployment? _deployment;
    private GitHubRelay? _relay;
    private ServiceProcess? _doomed;

    /// <summary>The name whose creation is to be cut off.</summary>
    private readonly string _name = isTaken ? $"{Slug}-*" : Slug;

    private Deployment Deployment => _deployment ?? throw new InvalidOperationException("Nothing is deployed.");

    private GitHubRelay Relay => _relay ?? throw new InvalidOperationException("Nothing is deployed.");

    private ServiceProcess Doomed => _doomed ?? throw new InvalidOperationException("Nothing is deployed.");

    public async ValueTask InitializeAsync()
    {
        _deployment = await Deployment.CreateAsync(cluster);
        _relay = new GitHubRelay(_deployment.GitHubAddress);
        _doomed = await _deployment.StartAsync(_relay.Address);
    }

    public async ValueTask DisposeAsync()
    {
        if (_deployment is not null)
            await _deployment.DisposeAsync();
        if (_relay is not null)
            await _relay.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Killed_before_the_intent_it_leaves_one_repository()
    {
        var rows = await ApproveAndStopBeforeIntentAsync();

        await Doomed.KillAsync();

        await rows.ReleaseToNobodyAsync();
        Assert.Empty(Deployment.GitHub.CreationsOf(_name));
        // That the slug is a stranger's is written down nowhere yet, and may be asked again.
        await AnotherInstanceEndsWithOneRepositoryAsync(posts: 1, postsForTheStrangers: 2);
    }

    [Fact]
    public async Task Killed_after_the_intent_and_before_the_POST_comes_to_GitHub_it_leaves_one_repository_under_the_intended_name()
    {
        var rows = await ApproveAndStopBeforeIntentAsync();
        Relay.Swallow();
        await rows.DisposeAsync();
        var intended = await Relay.SwallowsCreationAsync();

        await Doomed.KillAsync();

        Assert.Empty(Deployment.GitHub.CreationsOf(_name));
        Assert.Equal(intended, await AnotherInstanceEndsWithOneRepositoryAsync(posts: 1));
    }

    [Fact]
    public async Task Killed_during_a_POST_that_is_then_not_carried_out_it_leaves_one_repository()
    {
        var rows = await ApproveAndStopBeforeIntentAsync();
        Hold();
        await rows.DisposeAsync();
        await Deployment.GitHub.ReceivesCreationAsync(_name);

        await Doomed.KillAsync();

        Assert.DoesNotContain(Deployment.GitHub.Repositories.All, repository => !repository.Stranger);
        await AnotherInstanceEndsWithOneRepositoryAsync(posts: 2);
    }

    [Fact]
    public async Task Killed_during_a_POST_that_is_carried_out_all_the_same_it_leaves_one_repository()
    {
        var rows = await ApproveAndStopBeforeIntentAsync();
        Deployment.GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Delay, Method = "POST", Name = _name, DelayMs = 500, Times = 1 });
        await rows.DisposeAsync();
        await Deployment.GitHub.ReceivesCreationAsync(_name);

        await Doomed.KillAsync();

        await Eventually.ReturnsAsync(
            () => Task.FromResult(Deployment.GitHub.Repositories.All.Count(repository => !repository.Stranger)),
            ours => ours > 0,
            "GitHub to carry out the POST");
        await AnotherInstanceEndsWithOneRepositoryAsync(posts: 1);
    }

    [Fact]
    public async Task Killed_after_the_answer_and_before_the_save_it_leaves_one_repository()
    {
        var post = await ApproveAndHoldPostAsync();
        var rows = await RowLock.TakeAsync(Deployment.ConnectionString, Slug);
        Deployment.GitHub.Faults.Clear();
        await rows.IsWaitedForAsync();
        Assert.Equal(201, post.Status);

        await Doomed.KillAsync();

        await rows.ReleaseToNobodyAsync();
        Assert.Null(await Deployment.QueryAsync<string>("SELECT github_repo FROM projects"));
        await AnotherInstanceEndsWithOneRepositoryAsync(posts: 1);
    }

    [Fact]
    public async Task Killed_after_the_save_and_before_Hangfire_knows_it_leaves_one_repository_and_no_second_POST()
    {
        await ApproveAndHoldPostAsync();
        // Whoever wants to change the job's state waits for this row to go.
        await Deployment.QueryAsync<object>(
            "INSERT INTO hangfire.lock (resource, acquired) SELECT format('hangfire:job:%s:state-lock', job_id), now() FROM repo_creations");
        Deployment.GitHub.Faults.Clear();
        await Deployment.IsLinkedAsync(Slug);

        await Doomed.KillAsync();

        Assert.Equal("Processing", await Deployment.QueryAsync<string>("SELECT statename FROM hangfire.job WHERE id = (SELECT job_id::bigint FROM repo_creations)"));
        await Deployment.QueryAsync<object>("DELETE FROM hangfire.lock WHERE resource LIKE '%state-lock'");
        await AnotherInstanceEndsWithOneRepositoryAsync(posts: 1);
    }

    /// <summary>Approves the project, and has the instance wait for its rows where it is about to write down the name.</summary>
    private Task<RowLock> ApproveAndStopBeforeIntentAsync() =>
        isTaken ? ApproveAndStopBeforeSecondIntentAsync() : ApproveAndStopBeforeFirstIntentAsync();

    private async Task<RowLock> ApproveAndStopBeforeFirstIntentAsync()
    {
        await Deployment.CreateProjectAsync(Slug);
        // The approval waits, and this test behind it: so the rows are the test's before there is a job that could want them.
        var rows = await RowLock.TakeAsync(Deployment.ConnectionString, Slug);
        var approval = Deployment.ApproveAsync(Slug);
        await rows.IsWaitedForAsync();
        var next = RowLock.TakeAsync(Deployment.ConnectionString, Slug);
        await rows.IsWaitedForAsync(sessions: 2);
        await rows.DisposeAsync();
        await approval;
        rows = await next;
        await rows.IsWaitedForAsync();
        return rows;
    }

    private async Task<RowLock> ApproveAndStopBeforeSecondIntentAsync()
    {
        Deployment.GitHub.AddStranger(Slug);
        var look = Deployment.GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Hang, Method = "GET", Name = Slug });
        await Deployment.CreateProjectAsync(Slug);
        await Deployment.ApproveAsync(Slug);
        await Deployment.GitHub.ReceivesLookAsync(Slug);
        var rows = await RowLock.TakeAsync(Deployment.ConnectionString, Slug);
        Deployment.GitHub.Faults.Remove(look.Id);
        await rows.IsWaitedForAsync();
        return rows;
    }

    private async Task<ReceivedRequest> ApproveAndHoldPostAsync()
    {
        Hold();
        await using (await ApproveAndStopBeforeIntentAsync())
        {
        }

        return await Deployment.GitHub.ReceivesCreationAsync(_name);
    }

    private void Hold() => Deployment.GitHub.Faults.Add(new FaultRule { Kind = FaultKind.Hang, Method = "POST", Name = _name, Times = 1 });

    private async Task<string> AnotherInstanceEndsWithOneRepositoryAsync(int posts, int postsForTheStrangers = 1)
    {
        await Deployment.StartAsync();
        var name = Deployment.GitHub.HasExactlyOneRepositoryOf(await Deployment.ComesToRestAsync(Slug));
        Assert.Equal(posts, Deployment.GitHub.CreationsOf(name).Count);
        if (isTaken)
            Assert.InRange(Deployment.GitHub.CreationsOf(Slug).Count, 1, postsForTheStrangers);
        return name;
    }
}

public sealed class CrashAtTheSlugTests(PostgresCluster cluster) : CrashMatrixTests(cluster, isTaken: false);

public sealed class CrashAtTheSuffixTests(PostgresCluster cluster) : CrashMatrixTests(cluster, isTaken: true);
