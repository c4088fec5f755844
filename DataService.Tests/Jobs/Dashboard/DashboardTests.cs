using System.Text.Json;
using System.Text.RegularExpressions;
using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.Jobs.Dashboard;

public sealed partial class DashboardTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    [Theory]
    [InlineData("/hangfire")]
    [InlineData("/hangfire/jobs/failed")]
    [InlineData("/hangfire/logout")]
    public async Task Without_a_login_every_page_leads_to_it_on_whatever_host_the_caller_names(string address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Host = "elsewhere.example" } };

        var response = await Service.Anonymous.SendAsync(request, Cancelled);

        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        Assert.Equal($"/hangfire/login?ReturnUrl={Uri.EscapeDataString(address)}", response.Headers.Location!.OriginalString);
    }

    [Theory]
    [InlineData("/hangfire/jobs/failed/requeue")]
    [InlineData("/hangfire/jobs/failed/delete")]
    [InlineData("/hangfire/logout")]
    public async Task Without_a_login_nothing_can_be_done(string address)
    {
        var response = await Service.Anonymous.PostAsync(address, new FormUrlEncodedContent([new("jobs[]", "1")]), Cancelled);

        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
    }

    [Fact]
    public async Task The_API_token_alone_opens_no_page_without_the_login() =>
        Assert.NotEqual("/hangfire", (await Service.Http.GetAsync("/hangfire", Cancelled)).RequestMessage!.RequestUri!.AbsolutePath);

    [Fact]
    public async Task The_login_takes_the_API_token_and_sets_a_cookie_that_no_script_and_no_other_site_can_use()
    {
        var response = await LoginAsync(Service, RunningService.ApiToken);

        Assert.Equal((HttpStatusCode.Redirect, "/hangfire"), (response.StatusCode, response.Headers.Location!.ToString()));
        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.Contains("; httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("; samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(RunningService.ApiToken, cookie, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/hangfire/login")]
    [InlineData("/hangfire/logout")]
    public async Task A_form_that_is_cut_short_is_refused_as_one_that_cannot_be_read(string address)
    {
        using var admin = await SignInAsync(Service);
        using var cut = new StringContent("garbage");
        cut.Headers.ContentType = new("multipart/form-data") { Parameters = { new("boundary", "x") } };

        var problem = await (await admin.PostAsync(address, cut, Cancelled)).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");

        Assert.Equal("The form cannot be read.", problem.GetProperty("message").GetString());
    }

    [Fact]
    public async Task Outside_Development_the_cookie_is_secure()
    {
        await using var production = await RunningService.StartAsync(_cluster, new() { ["environment"] = "Production" });

        var response = await LoginAsync(production, RunningService.ApiToken);

        Assert.Contains("; secure", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("wrong-token-of-some-length")]
    [InlineData("")]
    public async Task A_wrong_token_is_refused_in_words_and_logged(string token)
    {
        var response = await LoginAsync(Service, token);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.Contains("not a valid token", await response.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);
        Assert.Contains(Service.Logs.Events, e => e.MessageTemplate.Text.StartsWith("Refused a login", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Guessing_is_slowed_down()
    {
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 11; i++)
            statuses.Add((await LoginAsync(Service, $"guess-number-{i}-xxxxxxxx")).StatusCode);

        var refused = await LoginAsync(Service, RunningService.ApiToken);

        Assert.Equal(Enumerable.Repeat(HttpStatusCode.Unauthorized, 10).Append(HttpStatusCode.TooManyRequests), statuses);
        await refused.ReadProblemAsync(HttpStatusCode.TooManyRequests, "RATE_LIMITED");
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("/hangfire/jobs/failed", "/hangfire/jobs/failed")]
    [InlineData("https://evil.example/hangfire", "/hangfire")]
    [InlineData("//evil.example/hangfire", "/hangfire")]
    [InlineData("/\\evil.example", "/hangfire")]
    [InlineData("/projects", "/hangfire")]
    [InlineData("/hangfire/../projects", "/hangfire")]
    public async Task The_login_leads_back_into_the_dashboard_and_nowhere_else(string returnUrl, string expected)
    {
        var response = await LoginAsync(Service, RunningService.ApiToken, $"?ReturnUrl={Uri.EscapeDataString(returnUrl)}");

        Assert.Equal(expected, response.Headers.Location!.ToString());
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_needs_the_antiforgery_token()
    {
        using var admin = await SignInAsync(Service);
        Assert.Equal(HttpStatusCode.BadRequest, (await admin.PostAsync("/hangfire/logout", null, Cancelled)).StatusCode);
        var page = await admin.GetStringAsync("/hangfire/logout", Cancelled);
        var field = HiddenField().Match(page);

        var response = await admin.PostAsync(
            "/hangfire/logout", new FormUrlEncodedContent([new(field.Groups["name"].Value, field.Groups["value"].Value)]), Cancelled);

        Assert.Equal("/hangfire/login", response.Headers.Location!.ToString());
        Assert.Contains("dataservice.dashboard=; expires=Thu, 01 Jan 1970", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_creation_is_seen_under_its_name_with_code_and_text_first_and_is_re_run()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 1 });
        var (slug, jobId) = await FailAsync(Service, "Acme Shop 1a2b3c4d");
        using var admin = await SignInAsync(Service);

        var page = await admin.GetStringAsync("/hangfire/jobs/failed", Cancelled);

        Assert.Contains("Create repository for acme-shop-1a2b3c4d", page, StringComparison.Ordinal);
        Assert.Contains("GITHUB_FORBIDDEN (403): Resource not accessible by personal access token", page, StringComparison.Ordinal);
        Assert.DoesNotContain("at DataService.", page, StringComparison.Ordinal);

        var requeued = await RequeueAsync(admin, page, jobId);

        Assert.Equal(HttpStatusCode.NoContent, requeued.StatusCode);
        var project = await Service.CreationReachesAsync(slug, "created");
        Assert.Equal("auditmos-projects/acme-shop-1a2b3c4d", project.GetProperty("githubRepo").GetString());
        Assert.Equal(jobId, project.GetProperty("repoCreation").GetProperty("jobId").GetString());
    }

    [Fact]
    public async Task A_re_run_without_the_antiforgery_token_is_refused()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission });
        var (_, jobId) = await FailAsync(Service, "Forged");
        using var admin = await SignInAsync(Service);

        var response = await admin.PostAsync("/hangfire/jobs/failed/requeue", new FormUrlEncodedContent([new("jobs[]", jobId)]), Cancelled);

        var problem = await response.ReadProblemAsync(HttpStatusCode.Forbidden, "FORBIDDEN");
        Assert.Equal("Forbidden", problem.GetProperty("message").GetString());
        await Service.JobReachesAsync(jobId, "Failed");
    }

    [Fact]
    public async Task Behind_a_proxy_that_ends_TLS_the_re_run_works_too()
    {
        await using var production = await RunningService.StartAsync(_cluster, new() { ["environment"] = "Production", ["KNOWN_PROXIES"] = "127.0.0.1" });
        production.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 1 });
        var (slug, jobId) = await FailAsync(production, "Proxied");
        using var admin = await SignInAsync(production, "https", "jobs.example.com");

        var page = await admin.GetStringAsync("/hangfire/jobs/failed", Cancelled);
        var requeued = await RequeueAsync(admin, page, jobId);

        Assert.Equal(HttpStatusCode.NoContent, requeued.StatusCode);
        await production.CreationReachesAsync(slug, "created");
    }

    [Fact]
    public async Task A_job_that_is_re_run_in_the_dashboard_gets_a_full_set_of_attempts()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Permission, Times = 1 });
        var (slug, jobId) = await FailAsync(Service, "Tried to the end");
        await Service.QueryAsync<object>("UPDATE repo_creations SET retries = 10");
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Method = "POST" });
        using var admin = await SignInAsync(Service);

        await RequeueAsync(admin, await admin.GetStringAsync("/hangfire/jobs/failed", Cancelled), jobId);

        // With its retries used up, a transient failure would end in "failed".
        await Service.CreationReachesAsync(slug, "retrying");
        Assert.Equal(1, await Service.QueryAsync<int>("SELECT retries FROM repo_creations"));
    }

    [Fact]
    public async Task A_scheduled_retry_that_is_run_now_in_the_dashboard_gets_a_full_set_of_attempts_too()
    {
        Service.Break(new FaultRule { Kind = FaultKind.Refuse, Status = 503, Headers = new Dictionary<string, string> { ["Retry-After"] = "600" }, Method = "POST", Times = 1 });
        var slug = await Service.CreateProjectAsync("Impatient");
        await Service.ApproveAsync(slug);
        var jobId = JobIdOf(await Service.CreationReachesAsync(slug, "retrying"));
        await Service.JobReachesAsync(jobId, "Scheduled");
        await Service.QueryAsync<object>("UPDATE repo_creations SET retries = 10");
        Service.Break(new FaultRule { Kind = FaultKind.BadGateway, Method = "POST" });
        using var admin = await SignInAsync(Service);

        await SendAsync(admin, await admin.GetStringAsync("/hangfire/jobs/scheduled", Cancelled), "/hangfire/jobs/scheduled/enqueue", jobId);

        await Eventually.ReturnsAsync(
            () => Service.GetProjectAsync(slug),
            project => project.GetProperty("repoCreation") is var creation && creation.GetProperty("attempts").GetInt32() is 2 && creation.GetProperty("state").GetString() is "retrying",
            "the second attempt to be retried");
    }

    [Fact]
    public async Task Dropping_a_token_ends_the_sessions_that_it_opened_and_no_others()
    {
        const string Other = "canary-other-token-000111";
        await using var both = await RunningService.StartAsync(_cluster, new() { ["API_TOKEN"] = $"{RunningService.ApiToken},{Other}" });
        var kept = Cookie(await LoginAsync(both, RunningService.ApiToken));
        var dropped = Cookie(await LoginAsync(both, Other));
        await using var later = await ServiceInProcess.StartAsync(
            new() { ["ConnectionStrings:DataService"] = both.ConnectionString, ["API_TOKEN"] = RunningService.ApiToken }, new LogCapture());
        using var http = new HttpClient { BaseAddress = later.Address };

        Assert.Equal("/hangfire", await LeadsToAsync(kept));
        Assert.Equal("/hangfire/login", await LeadsToAsync(dropped));

        static string Cookie(HttpResponseMessage login) => Assert.Single(login.Headers.GetValues("Set-Cookie")).Split(';')[0];

        async Task<string> LeadsToAsync(string cookie)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/hangfire") { Headers = { { "Cookie", cookie } } };
            return (await http.SendAsync(request, Cancelled)).RequestMessage!.RequestUri!.AbsolutePath;
        }
    }

    [Fact]
    public async Task A_malformed_login_form_is_refused_in_words()
    {
        using var form = new StringContent("x");
        form.Headers.ContentType = new("multipart/form-data");

        await (await Service.Anonymous.PostAsync("/hangfire/login", form, Cancelled)).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
    }

    [Fact]
    public async Task A_job_that_is_deleted_in_the_dashboard_shows_in_its_project()
    {
        Service.Break(new FaultRule { Kind = FaultKind.SecondaryLimit, RetryAfterSeconds = 600 });
        var slug = await Service.CreateProjectAsync("Given up");
        await Service.ApproveAsync(slug);
        var jobId = JobIdOf(await Service.CreationReachesAsync(slug, "retrying"));
        await Service.JobReachesAsync(jobId, "Scheduled");
        using var admin = await SignInAsync(Service);
        var page = await admin.GetStringAsync("/hangfire/jobs/scheduled", Cancelled);

        await SendAsync(admin, page, "/hangfire/jobs/scheduled/delete", jobId);

        var creation = (await Service.CreationReachesAsync(slug, "failed")).GetProperty("repoCreation");
        Assert.Equal("The job was deleted in the dashboard.", creation.GetProperty("githubError").GetString());
    }

    [Fact]
    public async Task A_login_at_one_instance_opens_the_other()
    {
        using var admin = await SignInAsync(Service);
        await using var second = await ServiceInProcess.StartAsync(
            new() { ["ConnectionStrings:DataService"] = Service.ConnectionString, ["API_TOKEN"] = RunningService.ApiToken }, new LogCapture());
        using var there = new HttpClient { BaseAddress = second.Address };
        there.DefaultRequestHeaders.Add("Cookie", admin.DefaultRequestHeaders.GetValues("Cookie"));

        Assert.Equal(HttpStatusCode.OK, (await there.GetAsync("/hangfire", Cancelled)).StatusCode);
    }

    [Fact]
    public async Task The_key_ring_in_the_database_is_encrypted()
    {
        await SignInAsync(Service);

        var xml = await Service.QueryAsync<string>("SELECT string_agg(xml, '') FROM data_protection_keys");

        Assert.Contains("<sealed", xml, StringComparison.Ordinal);
        Assert.DoesNotContain("masterKey", xml, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pages_of_the_login_allow_no_foreign_script_or_frame()
    {
        var response = await Service.Anonymous.GetAsync("/hangfire/login", Cancelled);

        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
    }

    internal static Task<HttpResponseMessage> LoginAsync(RunningService service, string token, string query = "") =>
        service.Anonymous.PostAsync($"/hangfire/login{query}", new FormUrlEncodedContent([new("token", token)]), Cancelled);

    /// <summary>A browser's view: it keeps cookies and follows redirects, and can sit behind a proxy.</summary>
    internal static async Task<HttpClient> SignInAsync(
        RunningService service, string? forwardedScheme = null, string? forwardedHost = null, string token = RunningService.ApiToken)
    {
        var login = await LoginAsync(service, token);
        var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = service.Address };
        client.DefaultRequestHeaders.Add("Cookie", string.Join("; ", login.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0])));
        if (forwardedScheme is not null)
        {
            client.DefaultRequestHeaders.Add("X-Forwarded-Proto", forwardedScheme);
            client.DefaultRequestHeaders.Add("X-Forwarded-Host", forwardedHost);
        }

        var page = await client.GetAsync("/hangfire", Cancelled);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var antiforgery = Assert.Single(page.Headers.GetValues("Set-Cookie")).Split(';')[0];
        var cookies = $"{client.DefaultRequestHeaders.GetValues("Cookie").Single()}; {antiforgery}";
        client.DefaultRequestHeaders.Remove("Cookie");
        client.DefaultRequestHeaders.Add("Cookie", cookies);
        return client;
    }

    internal static Task<HttpResponseMessage> RequeueAsync(HttpClient admin, string page, string jobId) =>
        SendAsync(admin, page, "/hangfire/jobs/failed/requeue", jobId);

    /// <summary>What the page's own script sends.</summary>
    internal static async Task<HttpResponseMessage> SendAsync(HttpClient admin, string page, string address, string jobId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new FormUrlEncodedContent([new("jobs[]", jobId)]) };
        request.Headers.Add(AntiforgeryHeader().Match(page).Groups["value"].Value, AntiforgeryToken().Match(page).Groups["value"].Value);
        return await admin.SendAsync(request, Cancelled);
    }

    private static string JobIdOf(JsonElement project) => project.GetProperty("repoCreation").GetProperty("jobId").GetString()!;

    internal static async Task<(string Slug, string JobId)> FailAsync(RunningService service, string name)
    {
        var slug = await service.CreateProjectAsync(name);
        await service.ApproveAsync(slug);
        var jobId = JobIdOf(await service.CreationReachesAsync(slug, "failed"));
        await service.JobReachesAsync(jobId, "Failed");
        return (slug, jobId);
    }

    [GeneratedRegex("""type="hidden" name="(?<name>[^"]+)" value="(?<value>[^"]+)""")]
    internal static partial Regex HiddenField();

    [GeneratedRegex("""name="csrf-header" content="(?<value>[^"]+)""")]
    private static partial Regex AntiforgeryHeader();

    [GeneratedRegex("""name="csrf-token" content="(?<value>[^"]+)""")]
    private static partial Regex AntiforgeryToken();
}
