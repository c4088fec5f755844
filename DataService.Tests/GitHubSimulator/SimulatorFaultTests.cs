using System.Runtime.Serialization;
using System.Text.Json;
using GitHubSimulator;
using GitHubSimulator.Faults;
using GitHubSimulator.Requests;
using Octokit;

namespace DataService.Tests.GitHubSimulator;

/// <summary>Every exception that Octokit has for a failing answer comes out of the fault that stands for it, over real HTTP.</summary>
public sealed class SimulatorFaultTests
{
    [Theory]
    [InlineData("""{"kind":"refuse","preset":"name-taken"}""", typeof(ApiValidationException), 422)]
    [InlineData("""{"kind":"taken-by-stranger"}""", typeof(ApiValidationException), 422)]
    [InlineData("""{"kind":"refuse","preset":"validation"}""", typeof(ApiValidationException), 422)]
    [InlineData("""{"kind":"refuse","preset":"plan-limit"}""", typeof(ApiValidationException), 422)]
    [InlineData("""{"kind":"refuse","status":422,"body":"<html>odd</html>"}""", typeof(ApiValidationException), 422)]
    [InlineData("""{"kind":"refuse","preset":"bad-credentials"}""", typeof(AuthorizationException), 401)]
    [InlineData("""{"kind":"refuse","preset":"permission"}""", typeof(ForbiddenException), 403)]
    [InlineData("""{"kind":"refuse","preset":"not-admin"}""", typeof(ForbiddenException), 403)]
    [InlineData("""{"kind":"refuse","preset":"sso"}""", typeof(ForbiddenException), 403)]
    [InlineData("""{"kind":"refuse","preset":"token-lifetime"}""", typeof(ForbiddenException), 403)]
    [InlineData("""{"kind":"refuse","preset":"org-not-found"}""", typeof(NotFoundException), 404)]
    [InlineData("""{"kind":"refuse","preset":"unavailable-451"}""", typeof(LegalRestrictionException), 451)]
    [InlineData("""{"kind":"refuse","preset":"gone-410"}""", typeof(ApiException), 410)]
    [InlineData("""{"kind":"primary-limit"}""", typeof(RateLimitExceededException), 403)]
    [InlineData("""{"kind":"primary-limit-429"}""", typeof(ApiException), 429)]
    [InlineData("""{"kind":"secondary-limit"}""", typeof(SecondaryRateLimitExceededException), 403)]
    [InlineData("""{"kind":"secondary-limit-429"}""", typeof(ApiException), 429)]
    [InlineData("""{"kind":"abuse"}""", typeof(AbuseException), 403)]
    [InlineData("""{"kind":"bad-gateway"}""", typeof(ApiException), 502)]
    [InlineData("""{"kind":"server-error"}""", typeof(ApiException), 500)]
    [InlineData("""{"kind":"server-error","status":503}""", typeof(ApiException), 503)]
    public async Task A_refusal_comes_out_of_Octokit_as_its_exception_and_nothing_is_created(string fault, Type exception, int status)
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await AddAsync(simulator, fault);

        var thrown = (ApiException)await Assert.ThrowsAsync(exception, () => simulator.CreateAsync("acme-shop"));

        Assert.Equal(status, (int)thrown.StatusCode);
        Assert.DoesNotContain(simulator.State.Repositories.All, repository => !repository.Stranger);
    }

    [Theory]
    [InlineData("""{"kind":"refuse","preset":"name-taken"}""")]
    [InlineData("""{"kind":"taken-by-stranger"}""")]
    public async Task A_taken_name_is_an_exception_of_its_own_to_those_who_create_through_the_repositories_client(string fault)
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await AddAsync(simulator, fault);
        var repositories = new RepositoriesClient(new ApiConnection(simulator.Octokit));

        await Assert.ThrowsAsync<RepositoryExistsException>(() => repositories.Create("acme", new NewRepository("acme-shop")));
    }

    [Theory]
    [InlineData("""{"kind":"lost-answer"}""", typeof(HttpRequestException), true)]
    [InlineData("""{"kind":"cut-body"}""", typeof(HttpRequestException), true)]
    [InlineData("""{"kind":"reset"}""", typeof(HttpRequestException), false)]
    [InlineData("""{"kind":"truncated-body"}""", typeof(SerializationException), true)]
    public async Task A_spoiled_answer_throws_and_what_was_done_stays_done(string fault, Type exception, bool created)
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await AddAsync(simulator, fault);

        await Assert.ThrowsAsync(exception, () => simulator.CreateAsync("acme-shop"));

        Assert.Equal(created, simulator.State.Repositories.Find("acme", "acme-shop") is not null);
        Assert.Single(simulator.State.Requests.Of("POST", "/orgs/*/repos"));
    }

    [Theory]
    [InlineData("empty-body", true)]
    [InlineData("null-body", true)]
    [InlineData("html-body", false)]
    public async Task An_unusable_body_is_null_to_Octokit_without_an_exception(string kind, bool created)
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await AddAsync(simulator, $$"""{"kind":"{{kind}}"}""");

        Assert.Null(await simulator.CreateAsync("acme-shop"));
        Assert.Equal(created, simulator.State.Repositories.Find("acme", "acme-shop") is not null);
    }

    [Fact]
    public async Task A_stalled_body_keeps_the_client_waiting_after_the_repository_was_made()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var fault = simulator.State.Faults.Add(new() { Kind = FaultKind.StalledBody });

        using var answer = await simulator.Http.SendAsync(
            new(HttpMethod.Post, "/orgs/acme/repos") { Content = new StringContent("""{"name":"acme-shop"}""") },
            HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken);
        var body = answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.NotNull(simulator.State.Repositories.Find("acme", "acme-shop"));
        Assert.False(body.IsCompleted);
        simulator.State.Faults.Remove(fault.Id);
        await Assert.ThrowsAsync<HttpRequestException>(() => body);
    }

    [Fact]
    public async Task A_cut_body_comes_after_the_whole_headers()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        simulator.State.Faults.Add(new() { Kind = FaultKind.CutBody });

        using var answer = await simulator.Http.SendAsync(
            new(HttpMethod.Post, "/orgs/acme/repos") { Content = new StringContent("""{"name":"acme-shop"}""") },
            HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_hanging_call_does_no_work_when_the_client_leaves()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        simulator.State.Faults.Add(new() { Kind = FaultKind.Hang });
        using var patience = new CancellationTokenSource();

        var creation = simulator.CreateAsync("acme-shop", patience.Token);
        await Received(simulator, "POST");
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => creation);
        Assert.Empty(simulator.State.Repositories.All);
    }

    [Fact]
    public async Task A_hanging_call_goes_on_when_the_fault_is_removed()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        simulator.State.Faults.Add(new() { Kind = FaultKind.Hang, Times = 1 });

        var creation = simulator.CreateAsync("acme-shop");
        await Received(simulator, "POST");
        Assert.False(creation.IsCompleted);
        using var cleared = await simulator.SendAsync(HttpMethod.Delete, "/_simulator/faults");

        Assert.Equal("acme-shop", (await creation)!.Name);
    }

    [Fact]
    public async Task A_delayed_call_works_also_when_the_client_has_given_up()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        simulator.State.Faults.Add(new() { Kind = FaultKind.Delay, DelayMs = 50 });
        using var patience = new CancellationTokenSource();

        var creation = simulator.CreateAsync("acme-shop", patience.Token);
        var received = await Received(simulator, "POST");
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => creation);

        SpinWait.SpinUntil(() => received.Status is not null, TimeSpan.FromSeconds(10));
        Assert.NotNull(simulator.State.Repositories.Find("acme", "acme-shop"));
    }

    [Fact]
    public async Task A_rate_limit_says_when_to_come_back()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        simulator.State.Faults.Add(new() { Kind = FaultKind.PrimaryLimit, ResetSeconds = 90, Times = 1 });
        simulator.State.Faults.Add(new() { Kind = FaultKind.SecondaryLimit, RetryAfterSeconds = 7, Times = 1 });
        simulator.State.Faults.Add(new() { Kind = FaultKind.SecondaryLimit, Times = 1 });
        simulator.State.Faults.Add(new() { Kind = FaultKind.Abuse, RetryAfterSeconds = 8, Times = 1 });

        var primary = await Assert.ThrowsAsync<RateLimitExceededException>(() => simulator.CreateAsync("a"));
        var secondary = await Assert.ThrowsAsync<SecondaryRateLimitExceededException>(() => simulator.CreateAsync("a"));
        var silent = await Assert.ThrowsAsync<SecondaryRateLimitExceededException>(() => simulator.CreateAsync("a"));
        var abuse = await Assert.ThrowsAsync<AbuseException>(() => simulator.CreateAsync("a"));

        Assert.Equal(0, primary.Remaining);
        Assert.InRange(primary.Reset - DateTimeOffset.UtcNow, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(90));
        Assert.Equal("7", secondary.HttpResponse!.Headers["Retry-After"]);
        Assert.DoesNotContain("Retry-After", silent.HttpResponse!.Headers.Keys);
        Assert.Equal(8, abuse.RetryAfterSeconds);
    }

    [Fact]
    public async Task A_fault_meets_only_the_calls_that_it_names_and_only_so_often()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await AddAsync(simulator, """{"kind":"bad-gateway","method":"post","path":"/orgs/*/repos","name":"ACME-*","times":1}""");

        Assert.NotNull(await simulator.CreateAsync("other"));
        await Assert.ThrowsAsync<ApiException>(() => simulator.CreateAsync("acme-shop"));
        Assert.NotNull(await simulator.CreateAsync("acme-shop"));
        Assert.True(Assert.Single(simulator.State.Faults.All).IsSpent);
    }

    [Fact]
    public async Task A_repository_that_is_not_yet_visible_answers_404_to_a_GET_alone()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await AddAsync(simulator, """{"kind":"not-yet-visible","name":"acme-*","times":1}""");
        await simulator.CreateAsync("acme-shop");
        var repositories = new RepositoriesClient(new ApiConnection(simulator.Octokit));

        await Assert.ThrowsAsync<NotFoundException>(() => repositories.Get("acme", "acme-shop"));
        Assert.Equal("acme/acme-shop", (await repositories.Get("acme", "acme-shop")).FullName);
    }

    [Fact]
    public async Task A_redirect_points_where_the_fault_says()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await AddAsync(simulator, """{"kind":"redirect","location":"https://elsewhere.example/repos"}""");

        using var answer = await simulator.SendAsync(HttpMethod.Get, "/user/repos");

        Assert.Equal(HttpStatusCode.MovedPermanently, answer.StatusCode);
        Assert.Equal("https://elsewhere.example/repos", answer.Headers.Location?.ToString());
    }

    [Fact]
    public async Task A_refusal_can_be_made_of_any_status_body_and_headers()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await AddAsync(simulator, """{"kind":"refuse","status":418,"body":{"message":"teapot"},"headers":{"X-Tea":"green"}}""");

        using var answer = await simulator.SendAsync(HttpMethod.Get, "/user");

        Assert.Equal(418, (int)answer.StatusCode);
        Assert.Equal("green", answer.Headers.GetValues("X-Tea").Single());
        Assert.Equal("""{"message":"teapot"}""", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("""{"kind":"lost-anwser"}""", "lost-answer")]
    [InlineData("""{"kind":"refuse","preset":"nope"}""", "plan-limit")]
    [InlineData("""{"kind":"refuse"}""", "preset")]
    [InlineData("""{"kind":"reset","time":1}""", "times")]
    [InlineData("""{"kind":"reset","times":0}""", "times")]
    [InlineData("""{"kind":"reset","times":"x"}""", "$.times")]
    [InlineData("""{"kind":"delay"}""", "delayMs")]
    [InlineData("""{"kind":"redirect"}""", "location")]
    [InlineData("""{"kind":"refuse","status":700}""", "status")]
    [InlineData("""{"kind":"refuse","status":403,"headers":{"X":"a\r\nb"}}""", "headers")]
    [InlineData("""{}""", "kind (required)")]
    [InlineData("""null""", "kind (required)")]
    [InlineData("""{"kind":""", "kind (required)")]
    public async Task A_wrong_fault_is_refused_and_the_answer_names_what_is_allowed(string fault, string named)
    {
        await using var simulator = await RunningSimulator.StartAsync();

        using var answer = await simulator.SendAsync(HttpMethod.Post, "/_simulator/faults", fault);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var error = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Contains(named, error.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Empty(simulator.State.Faults.All);
    }

    [Fact]
    public async Task Every_kind_and_preset_can_be_set_by_its_name()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        foreach (var kind in EnumNames<FaultKind>.All)
        {
            var more = kind switch { "refuse" => "\"status\":500", "redirect" => "\"location\":\"/\"", _ => "\"delayMs\":1" };
            await AddAsync(simulator, $$"""{"kind":"{{kind}}",{{more}}}""");
        }

        foreach (var preset in EnumNames<RefusalPreset>.All)
            await AddAsync(simulator, $$"""{"kind":"refuse","preset":"{{preset}}"}""");

        var listed = await simulator.Http.GetFromJsonAsync<JsonElement>("/_simulator/faults", TestContext.Current.CancellationToken);
        using var removed = await simulator.SendAsync(HttpMethod.Delete, "/_simulator/faults/1");
        using var unknown = await simulator.SendAsync(HttpMethod.Delete, "/_simulator/faults/1");

        Assert.Equal(EnumNames<FaultKind>.All.Count + EnumNames<RefusalPreset>.All.Count, listed.GetArrayLength());
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (removed.StatusCode, unknown.StatusCode));
    }

    private static async Task AddAsync(RunningSimulator simulator, string fault)
    {
        using var answer = await simulator.SendAsync(HttpMethod.Post, "/_simulator/faults", fault);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    private static Task<ReceivedRequest> Received(RunningSimulator simulator, string method) =>
        simulator.State.Requests.WhenReceived(request => request.Method == method, TestContext.Current.CancellationToken);
}
