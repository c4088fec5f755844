using System.Diagnostics;
using System.Text.Json;
using DataService.Domain;
using DataService.GitHub;
using DataService.Tests.Support;
using GitHubSimulator;
using GitHubSimulator.Faults;
using GitHubSimulator.Requests;
using Microsoft.Extensions.Time.Testing;

namespace DataService.Tests.GitHub;

/// <summary>One POST and what may come back, with the real Octokit over HTTP.</summary>
public sealed class RepositoryCreatorTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private readonly Guid _projectId = Guid.CreateVersion7();

    protected override Dictionary<string, string?> Settings => new() { ["GitHub:RequestTimeout"] = "00:00:01" };

    [Fact]
    public async Task The_request_asks_for_a_private_empty_repository_that_names_its_project()
    {
        await CreateAsync("acme-shop", "Acme\u0007 Shop");

        var request = Assert.Single(Service.GitHub.Requests.All);
        Assert.Equal(("POST", "/orgs/auditmos-projects/repos", true), (request.Method, request.Path, request.HasAuthorization));
        var body = JsonDocument.Parse(request.Body).RootElement;
        Assert.Equal("acme-shop", body.GetProperty("name").GetString());
        Assert.True(body.GetProperty("private").GetBoolean());
        Assert.False(body.GetProperty("auto_init").GetBoolean());
        Assert.Equal($"Acme Shop [dataservice:{_projectId}]", body.GetProperty("description").GetString());
    }

    [Fact]
    public void The_longest_name_gives_a_description_that_GitHub_takes() =>
        Assert.InRange(RepositoryCreator.Describe(_projectId, new string('n', Project.MaxNameLength)).Length, 100, 350);

    [Fact]
    public async Task The_full_name_is_the_one_that_GitHub_answers_with()
    {
        var created = await CreateAsync("acme-shop");

        Assert.Equal(new CreatedRepository("auditmos-projects/acme-shop", Assert.Single(Service.GitHub.Repositories.All).Id, Adopted: false), created);
    }

    [Fact]
    public async Task A_name_that_a_stranger_holds_gives_nothing()
    {
        Stranger("acme-shop", isPrivate: true);

        Assert.Null(await CreateAsync("ACME-shop"));
        Assert.Single(Posts);
    }

    [Fact]
    public async Task A_name_that_our_own_lost_attempt_holds_is_adopted()
    {
        Ours("acme-shop");

        var created = await CreateAsync("acme-shop");

        Assert.Equal(new CreatedRepository("auditmos-projects/acme-shop", Assert.Single(Service.GitHub.Repositories.All).Id, Adopted: true), created);
        Assert.Single(Service.GitHub.Repositories.All);
    }

    [Fact]
    public async Task Our_own_repository_that_does_not_show_yet_is_waited_for()
    {
        Ours("acme-shop");
        Service.Break(new FaultRule { Kind = FaultKind.NotYetVisible, Times = 2 });

        var created = await CreateAsync("acme-shop");

        Assert.Equal(new CreatedRepository("auditmos-projects/acme-shop", Assert.Single(Service.GitHub.Repositories.All).Id, Adopted: true), created);
    }

    [Fact]
    public async Task A_public_repository_is_not_adopted_even_with_our_marker()
    {
        Stranger("acme-shop", isPrivate: false, RepositoryCreator.Describe(_projectId, "Acme"));

        Assert.Null(await CreateAsync("acme-shop"));
    }

    [Fact]
    public async Task Another_projects_repository_is_not_adopted()
    {
        Stranger("acme-shop", isPrivate: true, RepositoryCreator.Describe(Guid.CreateVersion7(), "Acme"));

        Assert.Null(await CreateAsync("acme-shop"));
    }

    [Theory]
    [InlineData(nameof(FaultKind.LostAnswer))]
    [InlineData(nameof(FaultKind.StalledBody))]
    [InlineData(nameof(FaultKind.TruncatedBody))]
    [InlineData(nameof(FaultKind.CutBody))]
    [InlineData(nameof(FaultKind.EmptyBody))]
    [InlineData(nameof(FaultKind.NullBody))]
    public async Task What_was_created_without_a_usable_answer_is_found_by_a_look(string kind)
    {
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind), Method = "POST", Times = 1 });

        var created = await CreateAsync("acme-shop");

        Assert.Equal(new CreatedRepository("auditmos-projects/acme-shop", Assert.Single(Service.GitHub.Repositories.All).Id, Adopted: true), created);
        Assert.Single(Posts);
    }

    [Fact]
    public async Task A_taken_name_that_never_shows_is_a_strangers()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.NameTaken, Method = "POST" });

        Assert.Null(await WaitingOutAsync(mayExist: false));
        Assert.Equal(5, Service.GitHub.Requests.Of("GET", "/repos/*/*").Count);
    }

    [Fact]
    public async Task A_taken_name_that_never_shows_is_undecided_where_we_have_tried_it_before()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.NameTaken, Method = "POST" });

        await Assert.ThrowsAsync<UnusableAnswerException>(() => WaitingOutAsync(mayExist: true));
    }

    [Fact]
    public async Task A_look_follows_no_repository_to_the_name_that_it_bears_now()
    {
        Ours("acme-shop");
        var ours = Assert.Single(Service.GitHub.Repositories.All);
        Assert.NotNull(Service.GitHub.Repositories.Update(ours.Id, before => before with { Name = "renamed" }));

        Assert.Equal(Occupant.Nobody, (await Creator.LookAsync("acme-shop", _projectId, Cancelled)).Occupant);
        Assert.Equal(Occupant.Ours, (await Creator.LookAsync("RENAMED", _projectId, Cancelled)).Occupant);
    }

    [Theory]
    [InlineData(nameof(FaultKind.EmptyBody), typeof(UnusableAnswerException))]
    [InlineData(nameof(FaultKind.NullBody), typeof(UnusableAnswerException))]
    [InlineData(nameof(FaultKind.HtmlBody), typeof(UnusableAnswerException))]
    [InlineData(nameof(FaultKind.TruncatedBody), typeof(System.Runtime.Serialization.SerializationException))]
    [InlineData(nameof(FaultKind.CutBody), typeof(HttpRequestException))]
    [InlineData(nameof(FaultKind.Reset), typeof(HttpRequestException))]
    [InlineData(nameof(FaultKind.StalledBody), typeof(TimeoutException))]
    [InlineData(nameof(FaultKind.Hang), typeof(TimeoutException))]
    public async Task An_unusable_answer_is_an_error_after_exactly_one_POST(string kind, Type expected)
    {
        Service.Break(new FaultRule { Kind = Enum.Parse<FaultKind>(kind) });

        var thrown = await Assert.ThrowsAnyAsync<Exception>(() => CreateAsync("acme-shop"));

        Assert.IsType(expected, thrown);
        Assert.Single(Posts);
        Assert.Equal(FailureKind.GitHubUnavailable, GitHubFailure.Classify(thrown, DateTime.UtcNow).Kind);
    }

    [Fact]
    public async Task A_body_that_stalls_ends_at_the_deadline()
    {
        Service.Break(new FaultRule { Kind = FaultKind.StalledBody });
        var clock = Stopwatch.StartNew();

        await Assert.ThrowsAsync<TimeoutException>(() => CreateAsync("acme-shop"));

        // The deadline is 1 s. Without it Octokit waits for ever; the bound only tells the two apart.
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Cancelling_ends_the_call()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Hang });
        using var stopping = new CancellationTokenSource();
        var call = Creator.CreateAsync("acme-shop", _projectId, "Acme", mayExist: false, stopping.Token);
        await Service.GitHub.Requests.WhenReceived(request => request.Method == "POST", Cancelled);

        await stopping.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    public async Task An_answer_that_leads_to_another_host_is_not_followed()
    {
        await using var elsewhere = await RunningService.StartSimulatorAsync();
        Service.Break(new FaultRule { Kind = FaultKind.Redirect, Location = $"{elsewhere.Urls.First()}/orgs/auditmos-projects/repos" });

        await Assert.ThrowsAsync<HttpRequestException>(() => CreateAsync("acme-shop"));

        Assert.Empty(elsewhere.Services.GetRequiredService<SimulatorState>().Requests.All);
    }

    private RepositoryCreator Creator => Service.Services.GetRequiredService<RepositoryCreator>();

    private IReadOnlyList<ReceivedRequest> Posts => Service.GitHub.Requests.Of("POST", "/orgs/*/repos");

    private Task<CreatedRepository?> CreateAsync(string name, string projectName = "Acme", bool mayExist = false) => Creator.CreateAsync(name, _projectId, projectName, mayExist, Cancelled);

    /// <summary>What an attempt whose answer was lost leaves behind.</summary>
    private void Ours(string name) => Assert.NotNull(Service.GitHub.Repositories.Create(
        RunningService.Organization, name, isPrivate: true, RepositoryCreator.Describe(_projectId, "Acme")));

    /// <summary>With a clock that runs as fast as it is asked.</summary>
    private async Task<CreatedRepository?> WaitingOutAsync(bool mayExist)
    {
        var time = new FakeTimeProvider();
        var creator = ActivatorUtilities.CreateInstance<RepositoryCreator>(Service.Services, time);
        var creation = creator.CreateAsync("acme-shop", _projectId, "Acme", mayExist, Cancelled);
        return await Eventually.ReturnsAsync(
            () =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(creation);
            },
            task => task.IsCompleted,
            "the waits to be over").Unwrap();
    }

    private void Stranger(string name, bool isPrivate, string? description = null) =>
        Assert.NotNull(Service.GitHub.Repositories.Create(RunningService.Organization, name, isPrivate, description, stranger: true));
}
