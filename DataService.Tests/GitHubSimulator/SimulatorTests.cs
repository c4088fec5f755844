using System.Net.Http.Headers;
using System.Text.Json;
using GitHubSimulator.Faults;
using Microsoft.Extensions.Time.Testing;
using Octokit;

namespace DataService.Tests.GitHubSimulator;

/// <summary>What GitHub promises when nothing goes wrong, asked for by Octokit where Octokit has the call.</summary>
public sealed class SimulatorTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Octokit_creates_a_repository_and_reads_every_part_of_it()
    {
        await using var simulator = await RunningSimulator.StartAsync();

        var repository = (await simulator.CreateAsync("acme-shop"))!;

        Assert.Equal("acme/acme-shop", repository.FullName);
        Assert.Equal("acme", repository.Owner.Login);
        Assert.Equal(AccountType.Organization, repository.Owner.Type);
        Assert.Equal("A description", repository.Description);
        Assert.Equal("main", repository.DefaultBranch);
        Assert.Equal(RepositoryVisibility.Private, repository.Visibility);
        Assert.True(repository is { Private: true, Id: > 0, Permissions.Admin: true });
        Assert.InRange(repository.CreatedAt, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
        Assert.Equal($"{simulator.Address}/api/v3/repos/acme/acme-shop", repository.Url);

        var request = Assert.Single(simulator.State.Requests.Of("POST", "/orgs/acme/repos"));
        Assert.Equal(("/api/v3", 201, true), (request.PathBase, request.Status, request.HasAuthorization));
        Assert.StartsWith("tests", request.UserAgent, StringComparison.Ordinal);
        Assert.Equal("acme-shop", JsonDocument.Parse(request.Body).RootElement.GetProperty("name").GetString());
        Assert.DoesNotContain(request.Headers, header => header.Value.Contains(RunningSimulator.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_answer_carries_the_headers_that_GitHub_sends()
    {
        await using var simulator = await RunningSimulator.StartAsync();

        using var answer = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/nothing");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("Not Found", (await JsonAsync(answer)).GetProperty("message").GetString());
        Assert.All(
            [
                "X-GitHub-Request-Id", "X-GitHub-Media-Type", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-used",
                "x-ratelimit-reset", "x-ratelimit-resource", "github-authentication-token-expiration",
            ],
            header => Assert.True(answer.Headers.Contains(header), header));
    }

    [Fact]
    public async Task The_token_may_do_what_it_is_given_and_expires_when_it_is_told()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await simulator.CreateAsync("acme-shop");

        using var allowed = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/acme-shop/keys");
        Assert.Equal((HttpStatusCode.OK, "administration=read"), (allowed.StatusCode, allowed.Headers.GetValues("X-Accepted-GitHub-Permissions").Single()));
        using var told = await simulator.SendAsync(HttpMethod.Post, "/_simulator/token", """{"administration":"read","contents":"none","expiresInSeconds":3600}""");
        Assert.Equal(HttpStatusCode.OK, told.StatusCode);

        using var reads = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/acme-shop/keys");
        Assert.Equal(HttpStatusCode.OK, reads.StatusCode);
        using var branches = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/acme-shop/branches");
        Assert.Equal(HttpStatusCode.Forbidden, branches.StatusCode);
        using var creates = await simulator.SendAsync(HttpMethod.Post, "/orgs/acme/repos", """{"name":"another"}""");
        Assert.Equal((HttpStatusCode.Forbidden, "administration=write"), (creates.StatusCode, creates.Headers.GetValues("X-Accepted-GitHub-Permissions").Single()));
        Assert.Equal("Resource not accessible by personal access token", (await JsonAsync(creates)).GetProperty("message").GetString());

        await simulator.SendAsync(HttpMethod.Post, "/_simulator/token", """{"neverExpires":true}""");
        using var lasting = await simulator.SendAsync(HttpMethod.Get, "/user");
        Assert.False(lasting.Headers.Contains("github-authentication-token-expiration"));
        await simulator.SendAsync(HttpMethod.Post, "/_simulator/token", """{"expiresInSeconds":0}""");
        using var expired = await simulator.SendAsync(HttpMethod.Get, "/user");
        Assert.Equal(HttpStatusCode.Unauthorized, expired.StatusCode);
        using var wrong = await simulator.SendAsync(HttpMethod.Post, "/_simulator/token", """{"issues":"admin"}""");
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Theory]
    [InlineData("Bearer", RunningSimulator.Token, HttpStatusCode.OK)]
    [InlineData("bearer", RunningSimulator.Token, HttpStatusCode.OK)]
    [InlineData("Token", RunningSimulator.Token, HttpStatusCode.OK)]
    [InlineData("token", "wrong", HttpStatusCode.Unauthorized)]
    [InlineData("Basic", RunningSimulator.Token, HttpStatusCode.Unauthorized)]
    [InlineData(null, null, HttpStatusCode.Unauthorized)]
    public async Task Only_the_right_token_is_let_in(string? scheme, string? token, HttpStatusCode status)
    {
        await using var simulator = await RunningSimulator.StartAsync();
        simulator.Http.DefaultRequestHeaders.Authorization = scheme is null ? null : new AuthenticationHeaderValue(scheme, token);

        using var answer = await simulator.SendAsync(HttpMethod.Get, "/user");

        Assert.Equal(status, answer.StatusCode);
    }

    [Fact]
    public async Task A_wrong_token_is_an_AuthorizationException()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var users = new UsersClient(new ApiConnection(simulator.OctokitWith("wrong")));

        Assert.Equal("Bad credentials", (await Assert.ThrowsAsync<AuthorizationException>(() => users.Current())).Message);
    }

    [Fact]
    public async Task A_taken_name_answers_422_whatever_its_case()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        using var stranger = await simulator.SendAsync(HttpMethod.Post, "/_simulator/strangers", """{"name":"Acme-Shop"}""");

        using var answer = await simulator.SendAsync(HttpMethod.Post, "/orgs/ACME/repos", """{"name":"acme-SHOP"}""");

        Assert.Equal(HttpStatusCode.Created, stranger.StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var body = await JsonAsync(answer);
        Assert.Equal("Repository creation failed.", body.GetProperty("message").GetString());
        Assert.Equal(
            """[{"resource":"Repository","code":"custom","field":"name","message":"name already exists on this account"}]""",
            body.GetProperty("errors").GetRawText());
    }

    [Fact]
    public async Task One_of_many_creations_of_a_name_at_once_succeeds()
    {
        await using var simulator = await RunningSimulator.StartAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ =>
            simulator.SendAsync(HttpMethod.Post, "/orgs/acme/repos", """{"name":"acme-shop"}""")));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.Equal(31, answers.Count(answer => answer.StatusCode == HttpStatusCode.UnprocessableEntity));
    }

    [Theory]
    [InlineData("Große  Straße/7", "Gro-e-Stra-e-7")]
    [InlineData("a.b_c-d", "a.b_c-d")]
    [InlineData("日本", "-")]
    public async Task A_name_is_silently_made_to_fit(string asked, string given)
    {
        await using var simulator = await RunningSimulator.StartAsync();

        Assert.Equal(given, (await simulator.CreateAsync(asked))!.Name);
    }

    [Theory]
    [InlineData("""{"name":"x","description":"a\u0007b"}""", 422, "description control characters are not allowed")]
    [InlineData("""{"private":true}""", 422, "\\\"name\\\" wasn't supplied")]
    [InlineData("""{"name":"."}""", 422, "name is reserved")]
    [InlineData("""{"name":7}""", 422, "7 is not a string")]
    [InlineData("""{"name":"x","private":"yes"}""", 422, "is not a boolean")]
    [InlineData("""[]""", 422, "is not an object")]
    [InlineData("""{"name":"\ud800"}""", 400, "Problems parsing JSON")]
    [InlineData("""{"name":""", 400, "Problems parsing JSON")]
    public async Task A_creation_that_does_not_fit_is_refused(string body, int status, string message)
    {
        await using var simulator = await RunningSimulator.StartAsync();

        using var answer = await simulator.SendAsync(HttpMethod.Post, "/orgs/acme/repos", body);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(message, await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Empty(simulator.State.Repositories.All);
    }

    [Theory]
    [InlineData(100, 350, HttpStatusCode.Created)]
    [InlineData(101, 350, HttpStatusCode.UnprocessableEntity)]
    [InlineData(100, 351, HttpStatusCode.UnprocessableEntity)]
    public async Task Name_and_description_have_a_longest_length(int name, int description, HttpStatusCode status)
    {
        await using var simulator = await RunningSimulator.StartAsync();

        var body = JsonSerializer.Serialize(new { name = new string('n', name), description = new string('d', description) });
        using var answer = await simulator.SendAsync(HttpMethod.Post, "/orgs/acme/repos", body);

        Assert.Equal(status, answer.StatusCode);
    }

    [Fact]
    public async Task An_unknown_org_answers_404()
    {
        await using var simulator = await RunningSimulator.StartAsync();

        using var answer = await simulator.SendAsync(HttpMethod.Post, "/orgs/others/repos", """{"name":"x"}""");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task A_renamed_repository_answers_301_and_Octokit_silently_follows()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var created = (await simulator.CreateAsync("before"))!;
        var repositories = new RepositoriesClient(new ApiConnection(simulator.Octokit));
        await repositories.Edit("acme", "before", new RepositoryUpdate { Name = "after" });

        using var answer = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/before");
        var followed = await repositories.Get("acme", "before");
        using var post = await simulator.SendAsync(HttpMethod.Post, "/repos/acme/before/issues", """{"title":"t"}""");

        Assert.Equal(HttpStatusCode.MovedPermanently, answer.StatusCode);
        Assert.Equal($"{simulator.Address}/repositories/{created.Id}", answer.Headers.Location?.ToString());
        Assert.Equal((created.Id, "after"), (followed.Id, followed.Name));
        Assert.Equal(HttpStatusCode.TemporaryRedirect, post.StatusCode);
        Assert.Equal($"/repositories/{created.Id}/issues", post.Headers.Location?.AbsolutePath);
    }

    [Fact]
    public async Task A_former_name_can_be_taken_and_a_present_one_cannot()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await simulator.CreateAsync("one");
        await simulator.CreateAsync("two");

        using var taken = await simulator.SendAsync(HttpMethod.Patch, "/repos/acme/one", """{"name":"TWO"}""");
        using var renamed = await simulator.SendAsync(HttpMethod.Patch, "/repos/acme/one", """{"name":"three","private":false}""");
        var again = await simulator.CreateAsync("one");
        using var first = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/one");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, taken.StatusCode);
        Assert.Equal("public", (await JsonAsync(renamed)).GetProperty("visibility").GetString());
        Assert.Equal(again!.Id, (await JsonAsync(first)).GetProperty("id").GetInt64());
    }

    [Fact]
    public async Task A_deleted_repository_is_gone_under_all_its_names()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await simulator.CreateAsync("before");
        using var renamed = await simulator.SendAsync(HttpMethod.Patch, "/repos/acme/before", """{"name":"after"}""");

        using var deleted = await simulator.SendAsync(HttpMethod.Delete, "/repos/acme/after");
        using var after = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/after");
        using var before = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/before");

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (after.StatusCode, before.StatusCode));
    }

    [Fact]
    public async Task Octokit_pages_through_all_repositories()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        for (var number = 0; number < 205; number++)
            simulator.State.Repositories.Create("acme", $"repository-{number:D3}", isPrivate: true);
        var repositories = new RepositoriesClient(new ApiConnection(simulator.Octokit));

        var all = await repositories.GetAllForCurrent(new ApiOptions { PageSize = 100 });
        var ofOrg = await repositories.GetAllForOrg("acme", new ApiOptions { PageSize = 50 });

        Assert.Equal(205, all.Select(repository => repository.FullName).Distinct().Count());
        Assert.Equal(205, ofOrg.Count);
        Assert.Equal(3, simulator.State.Requests.Of("GET", "/user/repos").Count);
        Assert.Equal(5, simulator.State.Requests.Of("GET", "/orgs/*/repos").Count);
    }

    [Fact]
    public async Task Links_name_the_address_that_the_client_used()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        for (var number = 0; number < 70; number++)
            simulator.State.Repositories.Create("acme", $"repository-{number}", isPrivate: true);

        using var first = await simulator.SendAsync(HttpMethod.Get, "/user/repos");
        using var second = await simulator.SendAsync(HttpMethod.Get, "/api/v3/user/repos?sort=created&page=2");

        Assert.Equal(30, (await JsonAsync(first)).GetArrayLength());
        var list = $"{simulator.Address}/api/v3/user/repos?sort=created&page=";
        string[] links = [$"<{list}1>; rel=\"prev\"", $"<{list}3>; rel=\"next\"", $"<{list}3>; rel=\"last\"", $"<{list}1>; rel=\"first\""];
        Assert.Equal(string.Join(", ", links), second.Headers.GetValues("Link").Single());
    }

    [Fact]
    public async Task An_unchanged_answer_is_304_and_free_of_charge()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await simulator.CreateAsync("acme-shop");
        using var first = await simulator.SendAsync(HttpMethod.Get, "/user/repos");
        simulator.Http.DefaultRequestHeaders.IfNoneMatch.Add(first.Headers.ETag!);
        var used = simulator.State.PrimaryLimit.Usage.Used;

        using var same = await simulator.SendAsync(HttpMethod.Get, "/user/repos");
        var usedAfter = simulator.State.PrimaryLimit.Usage.Used;
        await simulator.CreateAsync("acme-shop-2");
        using var changed = await simulator.SendAsync(HttpMethod.Get, "/user/repos");

        Assert.Equal((HttpStatusCode.NotModified, HttpStatusCode.OK), (same.StatusCode, changed.StatusCode));
        Assert.Equal(used, usedAfter);
    }

    [Fact]
    public async Task Octokit_opens_lists_and_closes_issues()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await simulator.CreateAsync("acme-shop");
        var issues = new IssuesClient(new ApiConnection(simulator.Octokit));

        var first = await issues.Create("acme", "acme-shop", new NewIssue("One") { Body = "Text" });
        await issues.Create("acme", "acme-shop", new NewIssue("Two"));
        var closed = await issues.Update("acme", "acme-shop", first.Number, new IssueUpdate { State = ItemState.Closed });
        var open = await issues.GetAllForRepository("acme", "acme-shop");
        var all = await issues.GetAllForRepository(
            "acme", "acme-shop", new RepositoryIssueRequest { State = ItemStateFilter.All, SortDirection = SortDirection.Ascending });

        Assert.Equal((1, "One", "Text"), (first.Number, first.Title, first.Body));
        Assert.Equal(ItemState.Closed, closed.State.Value);
        Assert.NotNull(closed.ClosedAt);
        Assert.Equal("Two", Assert.Single(open).Title);
        Assert.Equal([1, 2], all.Select(issue => issue.Number));
        Assert.Equal(1, simulator.State.Repositories.Find("acme", "acme-shop")!.OpenIssues);
    }

    [Fact]
    public async Task Issues_can_be_asked_for_since_a_time()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var simulator = await RunningSimulator.StartAsync(time);
        var repository = simulator.State.Repositories.Create("acme", "acme-shop", isPrivate: true)!;
        simulator.State.Repositories.CreateIssue(repository.Id, "Old", null);
        time.Advance(TimeSpan.FromHours(1));
        simulator.State.Repositories.CreateIssue(repository.Id, "New", null);

        using var answer = await simulator.SendAsync(
            HttpMethod.Get, $"/repos/acme/acme-shop/issues?since={time.GetUtcNow().AddMinutes(-1):yyyy-MM-ddTHH:mm:ssZ}");

        Assert.Equal("New", Assert.Single((await JsonAsync(answer)).EnumerateArray()).GetProperty("title").GetString());
    }

    [Fact]
    public async Task A_deleted_issue_answers_410_and_a_transferred_one_301()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var repository = simulator.State.Repositories.Create("acme", "from", isPrivate: true)!;
        var other = simulator.State.Repositories.Create("acme", "to", isPrivate: true)!;
        simulator.State.Repositories.CreateIssue(repository.Id, "Deleted", null);
        simulator.State.Repositories.CreateIssue(repository.Id, "Transferred", null);

        using var deletion = await simulator.SendAsync(HttpMethod.Delete, "/_simulator/repos/acme/from/issues/1");
        using var transfer = await simulator.SendAsync(HttpMethod.Post, "/_simulator/repos/acme/from/issues/2/transfer", """{"to":"to"}""");
        using var deleted = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/from/issues/1");
        using var transferred = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/from/issues/2");
        using var list = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/from/issues?state=all");
        var followed = await new IssuesClient(new ApiConnection(simulator.Octokit)).Get("acme", "from", 2);

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.OK), (deletion.StatusCode, transfer.StatusCode));
        Assert.Equal(HttpStatusCode.Gone, deleted.StatusCode);
        Assert.Equal("This issue was deleted", (await JsonAsync(deleted)).GetProperty("message").GetString());
        Assert.Equal(HttpStatusCode.MovedPermanently, transferred.StatusCode);
        Assert.Equal($"/repositories/{other.Id}/issues/1", transferred.Headers.Location?.AbsolutePath);
        Assert.Equal("Transferred", followed.Title);
        Assert.Equal(0, (await JsonAsync(list)).GetArrayLength());
    }

    [Fact]
    public async Task The_primary_limit_ends_the_hour_and_a_new_hour_begins()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var simulator = await RunningSimulator.StartAsync(time);
        simulator.State.PrimaryLimit.Set(perHour: 2);
        var rateLimits = new RateLimitClient(new ApiConnection(simulator.Octokit));
        await simulator.CreateAsync("one");
        await simulator.CreateAsync("two");

        var limited = await Assert.ThrowsAsync<RateLimitExceededException>(() => simulator.CreateAsync("three"));
        var free = await rateLimits.GetRateLimits();
        time.Advance(TimeSpan.FromHours(1));

        Assert.Equal((2, 0), (limited.Limit, limited.Remaining));
        Assert.Equal(0, free.Rate.Remaining);
        Assert.NotNull(await simulator.CreateAsync("three"));
    }

    [Fact]
    public async Task Whoever_goes_over_the_content_limit_is_blocked_and_every_call_meanwhile_is_counted()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var simulator = await RunningSimulator.StartAsync(time);
        using var set = await simulator.SendAsync(HttpMethod.Post, "/_simulator/limits", """{"contentPerMinute":2,"blockSeconds":120}""");
        await simulator.CreateAsync("one");
        await simulator.CreateAsync("two");

        var over = await Assert.ThrowsAsync<SecondaryRateLimitExceededException>(() => simulator.CreateAsync("three"));
        time.Advance(TimeSpan.FromSeconds(90));
        var blocked = await Assert.ThrowsAsync<SecondaryRateLimitExceededException>(() => simulator.CreateAsync("three"));
        using var read = await simulator.SendAsync(HttpMethod.Get, "/user/repos");
        var usage = await simulator.Http.GetFromJsonAsync<JsonElement>("/_simulator/limits", Cancellation);
        time.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(("120", "30"), (over.HttpResponse!.Headers["Retry-After"], blocked.HttpResponse!.Headers["Retry-After"]));
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal((1, 1), (usage.GetProperty("blocks").GetInt32(), usage.GetProperty("callsWhileBlocked").GetInt32()));
        Assert.NotNull(await simulator.CreateAsync("three"));
    }

    [Fact]
    public async Task The_minute_of_the_content_limit_can_be_made_shorter()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var simulator = await RunningSimulator.StartAsync(time);
        using var set = await simulator.SendAsync(
            HttpMethod.Post, "/_simulator/limits", """{"contentPerMinute":1,"contentWindowSeconds":6,"blockSeconds":1}""");
        var limits = await simulator.Http.GetFromJsonAsync<JsonElement>("/_simulator/limits", Cancellation);
        await simulator.CreateAsync("one");

        time.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<SecondaryRateLimitExceededException>(() => simulator.CreateAsync("two"));
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(6, limits.GetProperty("contentWindowSeconds").GetInt32());
        Assert.NotNull(await simulator.CreateAsync("two"));
    }

    [Fact]
    public async Task Unless_told_the_minute_of_the_content_limit_is_one()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var simulator = await RunningSimulator.StartAsync(time);
        using var set = await simulator.SendAsync(HttpMethod.Post, "/_simulator/limits", """{"contentPerMinute":1,"blockSeconds":1}""");
        await simulator.CreateAsync("one");

        time.Advance(TimeSpan.FromSeconds(59));
        await Assert.ThrowsAsync<SecondaryRateLimitExceededException>(() => simulator.CreateAsync("two"));
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.NotNull(await simulator.CreateAsync("two"));
    }

    [Fact]
    public async Task Content_created_too_soon_after_the_last_is_over_the_limit_and_the_answer_may_keep_the_time_to_itself()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var simulator = await RunningSimulator.StartAsync(time);
        simulator.State.ContentLimit.Set(new() { MinimumGapMs = 1000, RetryAfter = false });
        await simulator.CreateAsync("one");
        time.Advance(TimeSpan.FromMilliseconds(1000));
        await simulator.CreateAsync("two");
        time.Advance(TimeSpan.FromMilliseconds(999));

        var over = await Assert.ThrowsAsync<SecondaryRateLimitExceededException>(() => simulator.CreateAsync("three"));

        Assert.DoesNotContain("Retry-After", over.HttpResponse!.Headers.Keys);
    }

    [Theory]
    [InlineData("""{"contentPerMinute":-1}""")]
    [InlineData("""{"blockSeconds":0}""")]
    [InlineData("""{"contentWindowSeconds":0}""")]
    [InlineData("""{"primaryPerHour":0}""")]
    [InlineData("""{"contentPerSecond":1}""")]
    public async Task Wrong_limits_are_refused(string limits)
    {
        await using var simulator = await RunningSimulator.StartAsync();

        using var answer = await simulator.SendAsync(HttpMethod.Post, "/_simulator/limits", limits);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_new_repository_can_answer_404_for_a_time()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var simulator = await RunningSimulator.StartAsync(time);
        simulator.State.ContentLimit.Set(new() { AccessRepositoryDelayMs = 3000 });
        await simulator.CreateAsync("acme-shop");

        using var soon = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/acme-shop");
        time.Advance(TimeSpan.FromSeconds(3));
        using var later = await simulator.SendAsync(HttpMethod.Get, "/repos/acme/acme-shop");

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK), (soon.StatusCode, later.StatusCode));
    }

    [Fact]
    public async Task A_second_start_finds_the_repositories_of_the_first()
    {
        var file = Path.Combine(Path.GetTempPath(), $"simulator-{Guid.NewGuid():N}.json");
        try
        {
            await using (var first = await RunningSimulator.StartAsync(dataFile: file))
            {
                await Task.WhenAll(Enumerable.Range(0, 20).Select(number => first.CreateAsync($"repository-{number}")));
                using var renamed = await first.SendAsync(HttpMethod.Patch, "/repos/acme/repository-0", """{"name":"renamed"}""");
                using var issue = await first.SendAsync(HttpMethod.Post, "/repos/acme/renamed/issues", """{"title":"Kept"}""");
            }

            await using var second = await RunningSimulator.StartAsync(dataFile: file);
            using var former = await second.SendAsync(HttpMethod.Get, "/repos/acme/repository-0");
            using var kept = await second.SendAsync(HttpMethod.Get, "/repos/acme/renamed/issues/1");
            var added = await second.CreateAsync("repository-20");

            Assert.Equal(21, second.State.Repositories.All.Select(repository => repository.Id).Distinct().Count());
            Assert.Equal((HttpStatusCode.MovedPermanently, HttpStatusCode.OK), (former.StatusCode, kept.StatusCode));
            Assert.NotNull(added);
            Assert.DoesNotContain(RunningSimulator.Token, await File.ReadAllTextAsync(file, Cancellation), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task The_request_log_can_be_read_and_cleared_and_never_holds_the_token()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        await simulator.CreateAsync("acme-shop");

        var log = await simulator.Http.GetStringAsync("/_simulator/requests", Cancellation);
        using var cleared = await simulator.SendAsync(HttpMethod.Delete, "/_simulator/requests");

        Assert.Contains("\"hasAuthorization\":true", log, StringComparison.Ordinal);
        Assert.Contains("acme-shop", log, StringComparison.Ordinal);
        Assert.DoesNotContain(RunningSimulator.Token, log, StringComparison.Ordinal);
        Assert.Empty(simulator.State.Requests.All);
    }

    [Fact]
    public async Task The_page_shows_repositories_and_faults_as_text_and_not_as_markup()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        simulator.State.Repositories.Create("acme", "acme-shop", isPrivate: true, "<script>alert(1)</script>");
        simulator.State.Faults.Add(new() { Kind = FaultKind.Reset, Name = "<b>*" });
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Accept", "text/html" } } };

        using var page = await simulator.Http.SendAsync(request, Cancellation);
        var html = await page.Content.ReadAsStringAsync(Cancellation);
        var index = await simulator.Http.GetFromJsonAsync<JsonElement>("/", Cancellation);

        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.Contains("acme/acme-shop", html, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;", html, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;*", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.Ordinal);
        Assert.DoesNotContain(RunningSimulator.Token, html, StringComparison.Ordinal);
        Assert.Equal($"{simulator.Address}/user", index.GetProperty("current_user_url").GetString());
    }

    [Fact]
    public async Task The_user_and_the_org_answer_to_Octokit()
    {
        await using var simulator = await RunningSimulator.StartAsync();
        var connection = new ApiConnection(simulator.Octokit);

        Assert.Equal("simulator-user", (await new UsersClient(connection).Current()).Login);
        Assert.Equal("acme", (await new OrganizationsClient(connection).Get("ACME")).Login);
    }

    private static Task<JsonElement> JsonAsync(HttpResponseMessage answer) => answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
}
