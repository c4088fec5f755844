using System.Text.Json;
using DataService.Diagnosis;
using DataService.Tests.Scripts;
using DataService.Tests.Support;
using GitHubSimulator.Faults;
using GitHubSimulator.Limits;

namespace DataService.Tests.Diagnosis;

/// <summary>One service for all: each test makes one thing wrong, looks, and mends it.</summary>
public sealed class DoctorTests(PostgresCluster cluster) : IAsyncLifetime
{
    private readonly ShiftedTime _time = new();
    private RunningService? _service;

    private RunningService Service => _service!;

    private Doctor Doctor => Service.Services.GetRequiredService<Doctor>();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _service = await RunningService.StartAsync(cluster, replace: services =>
        {
            StoredCreations.WithoutWorkers(services);
            services.AddSingleton<TimeProvider>(_time);
        });
        await Service.QueryAsync<object>("INSERT INTO hangfire.server (id, data, lastheartbeat) VALUES ('another', '{}', now())");
        Service.GitHub.Repositories.Create(RunningService.Organization, "acme", isPrivate: true);
    }

    public ValueTask DisposeAsync() => Service.DisposeAsync();

    [Fact]
    public async Task All_is_well_for_the_script_and_for_the_command_and_changes_nothing()
    {
        var script = await Script.RunAsync(Service, "doctor");
        Assert.True(script.ExitCode is 0, script.Output + script.Error);
        Assert.All(script.Lines, line => Assert.StartsWith("ok    ", line, StringComparison.Ordinal));
        Assert.Equal(
            ["database", "database-clock", "migrations", "hangfire-schema", "job-servers", "queue", "creation", "github-clock", "token", "token-expiry", "organization", "permissions", "rate-limit"],
            script.Lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]));

        var (exitCode, output, error) = await CommandAsync([]);
        Assert.True(exitCode is 0, output + error);
        Assert.Equal(script.Lines.Length, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.All(Service.GitHub.Requests.All, request => Assert.Equal("GET", request.Method));

        // Whoever asks again at once gets what was found of GitHub, which is not asked, and what is now of the rest.
        var asked = Service.GitHub.Requests.All.Count;
        var again = await (await Service.Http.GetAsync("/doctor", Cancelled)).ReadAsync(HttpStatusCode.OK);
        Assert.Equal(("ok", asked), (again.GetProperty("status").GetString(), Service.GitHub.Requests.All.Count));
        Assert.Equal(0, (await Script.RunAsync(Service, "pause", "--reason", "The plan changes.")).ExitCode);
        var paused = await Script.RunAsync(Service, "doctor");
        Assert.Equal((1, asked), (paused.ExitCode, Service.GitHub.Requests.All.Count));
        Assert.Contains(paused.Lines, line => line.StartsWith("warn  creation ", StringComparison.Ordinal));
        Assert.Equal(0, (await Script.RunAsync(Service, "resume")).ExitCode);
        Assert.Equal(0, (await Script.RunAsync(Service, "doctor")).ExitCode);
    }

    [Fact]
    public async Task What_is_wrong_with_token_organization_and_GitHub_is_said_with_its_cure()
    {
        var token = Service.GitHub.Token;
        var expires = token.Expires;

        token.Expires = DateTimeOffset.UtcNow.AddDays(10.5);
        await FindsAsync("token-expiry", CheckStatus.Warn, "in 10 days", "Make a new fine-grained token");
        token.Expires = null;
        await FindsAsync("token-expiry", CheckStatus.Ok, "does not expire");
        token.Expires = DateTimeOffset.UtcNow.AddSeconds(-1);
        await FindsAsync("token", CheckStatus.Fail, "Bad credentials", "restart the instances");
        token.Expires = expires;

        token.Set("administration", Access.None);
        token.Set("issues", Access.None);
        await FindsAsync("permissions", CheckStatus.Fail, "Administration (Resource not accessible by personal access token (needs administration=read)), Issues (", "each read and write");
        token.Set("administration", Access.Write);
        token.Set("issues", Access.Write);

        await FindsAsync("organization", CheckStatus.Fail, "does not see auditmos-projects", "GITHUB_ORG", new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.OrgNotFound, Path = "/orgs/*" });
        await FindsAsync("organization", CheckStatus.Fail, "SAML", "Mend that on GitHub", new FaultRule { Kind = FaultKind.Refuse, Preset = RefusalPreset.Sso, Path = "/orgs/*" });
        await FindsAsync("github", CheckStatus.Fail, "GitHub", "githubstatus.com", new FaultRule { Kind = FaultKind.Reset });
        await FindsAsync("github", CheckStatus.Fail, "", "proxies", new FaultRule { Kind = FaultKind.HtmlBody });
        await FindsAsync("rate-limit", CheckStatus.Fail, "rate limit", "who else", new FaultRule { Kind = FaultKind.PrimaryLimit });
        Service.GitHub.PrimaryLimit.Set(Service.GitHub.PrimaryLimit.Usage.Used + 100);
        var used = Service.GitHub.PrimaryLimit.Usage.Used;
        Service.GitHub.PrimaryLimit.Set(used + 8);
        await FindsAsync("rate-limit", CheckStatus.Warn, "calls are left", "who else");
        Service.GitHub.PrimaryLimit.Set(5000);

        Service.GitHub.Repositories.Delete(Service.GitHub.Repositories.All.Single().Id);
        await FindsAsync("permissions", CheckStatus.Ok, "the first creation shows them");
        Assert.Equal(CheckStatus.Ok, (await Doctor.ExamineAsync(Cancelled)).Status);
    }

    [Fact]
    public async Task What_is_wrong_with_database_jobs_and_clocks_is_said_with_its_cure()
    {
        await Service.QueryAsync<object>("UPDATE hangfire.server SET lastheartbeat = now() - interval '1 minute'");
        await FindsAsync("job-servers", CheckStatus.Fail, "None is alive", "Start an instance");
        await Service.QueryAsync<object>("UPDATE hangfire.server SET lastheartbeat = now() + interval '1 hour'");

        await Service.AddFailedAsync(2);
        Assert.Equal(0, (await Script.RunAsync(Service, "requeue-failed", "--yes")).ExitCode);
        await FindsAsync("queue", CheckStatus.Ok, "2 jobs wait");
        await Service.QueryAsync<object>("UPDATE hangfire.state SET createdat = now() - interval '3 minutes' WHERE name = 'Enqueued'");
        await FindsAsync("queue", CheckStatus.Warn, "since 18", "Processing");
        await Service.QueryAsync<object>("UPDATE hangfire.state SET createdat = now() - interval '1 hour' WHERE name = 'Enqueued'");
        await FindsAsync("queue", CheckStatus.Fail, "since 36", "Processing");
        await Service.QueryAsync<object>("DELETE FROM hangfire.jobqueue");

        Assert.Equal(0, (await Script.RunAsync(Service, "pause", "--reason", "The plan changes.")).ExitCode);
        await FindsAsync("creation", CheckStatus.Warn, "The plan changes.", "scripts/resume");
        await Service.QueryAsync<object>("UPDATE creation_pause SET credential = 'x', code = 'GITHUB_UNAUTHORIZED'");
        await FindsAsync("creation", CheckStatus.Fail, "GitHub refused the token", "Renew GITHUB_TOKEN");
        await Service.QueryAsync<object>("DELETE FROM creation_pause");

        _time.Shift = TimeSpan.FromSeconds(-20);
        await FindsAsync("database-clock", CheckStatus.Warn, "behind the database's", "NTP");
        _time.Shift = TimeSpan.FromMinutes(5);
        await FindsAsync("database-clock", CheckStatus.Fail, "300 s ahead of the database's", "NTP");
        await FindsAsync("github-clock", CheckStatus.Fail, "ahead of GitHub's", "NTP");
        _time.Shift = TimeSpan.Zero;

        await Service.QueryAsync<object>("UPDATE hangfire.schema SET version = version + 1");
        await FindsAsync("hangfire-schema", CheckStatus.Warn, "one by one", "Replace this instance");
        await Service.QueryAsync<object>("INSERT INTO \"__EFMigrationsHistory\" VALUES ('29990101000000_OfTomorrow', '10.0.0')");
        await FindsAsync("migrations", CheckStatus.Warn, "does not know", "newer version");
        await Service.QueryAsync<object>("DELETE FROM \"__EFMigrationsHistory\" WHERE migration_id = (SELECT min(migration_id) FROM \"__EFMigrationsHistory\")");
        await FindsAsync("migrations", CheckStatus.Fail, "1 of", "--migrate-only");
    }

    [Fact]
    public async Task The_command_tells_in_JSON_and_by_its_exit_code_what_it_cannot_use_and_migrates_nothing()
    {
        var empty = await cluster.CreateEmptyDatabaseAsync();
        var (exitCode, output, _) = await CommandAsync(["--json"], ("ConnectionStrings__DataService", empty));
        var checks = JsonDocument.Parse(output).RootElement.GetProperty("checks").EnumerateArray().ToDictionary(check => check.GetProperty("name").GetString()!, check => check.GetProperty("status").GetString());
        Assert.Equal((2, "ok", "fail", "fail", "ok"), (exitCode, checks["database"], checks["migrations"], checks["hangfire-schema"], checks["permissions"]));
        Assert.Equal(0L, await PostgresCluster.QueryAsync<long>(empty, "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'hangfire')"));

        var away = await CommandAsync([], ("ConnectionStrings__DataService", "Host=127.0.0.1;Port=1;Username=u;Password=hunter2-hunter2;Database=d"));
        Assert.Equal(2, away.ExitCode);
        Assert.StartsWith("fail  database", away.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", away.Output + away.Error, StringComparison.Ordinal);

        Service.GitHub.Token.Expires = DateTimeOffset.UtcNow.AddDays(3);
        Assert.Equal(1, (await CommandAsync([])).ExitCode);
        var wrong = await CommandAsync([], ("GITHUB_ORG", "not an org"));
        Assert.Equal(2, wrong.ExitCode);
        Assert.StartsWith("fail  configuration    GITHUB_ORG ", wrong.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await CommandAsync(["--jsn"])).ExitCode);
    }

    private async Task FindsAsync(string name, CheckStatus status, string message, string? cure = null, FaultRule? fault = null)
    {
        if (fault is not null)
            Service.Break(fault);
        var found = await Doctor.ExamineAsync(Cancelled);
        Service.GitHub.Faults.Clear();
        var check = found.Checks.SingleOrDefault(check => check.Name == name);
        Assert.True(check?.Status == status, $"{name} is to be {status}: {string.Join('\n', found.Checks)}");
        Assert.Contains(message, check.Message, StringComparison.Ordinal);
        Assert.Contains(cure ?? "", check.Cure ?? "", StringComparison.Ordinal);
        Assert.DoesNotContain(RunningService.GitHubToken, found.ToString() + string.Join('\n', found.Checks), StringComparison.Ordinal);
    }

    private async Task<ScriptResult> CommandAsync(string[] arguments, params (string Name, string Value)[] settings)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__DataService"] = Service.ConnectionString,
            ["API_TOKEN"] = RunningService.ApiToken,
            ["GITHUB_TOKEN"] = RunningService.GitHubToken,
            ["GITHUB_ORG"] = RunningService.Organization,
            ["GITHUB_API_URL"] = Service.Services.GetRequiredService<DataService.GitHub.GitHubOptions>().ApiUrl.ToString(),
        };
        foreach (var (name, value) in settings)
            environment[name] = value;
        return await Script.EndAsync(ServiceProcess.Start(environment, ["doctor", .. arguments]));
    }

    private sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
