using System.Net.Sockets;
using System.Text.Json;
using DataService.Data;
using DataService.Tests.Support;
using GitHubSimulator;
using GitHubSimulator.Faults;
using Npgsql;

namespace DataService.Tests;

/// <summary>How the service starts, refuses to start, and stops: as a process.</summary>
public sealed class ProgramTests(PostgresCluster cluster)
{
    private const string Secret = "hunter2-hunter2-hunter2";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("API_TOKEN", null)]
    [InlineData("API_TOKEN", "short")]
    [InlineData("API_TOKEN", "with a space in the middle")]
    [InlineData("API_TOKEN", "long-enough-and-fine,short")]
    [InlineData("VIEWER_TOKEN", "short")]
    [InlineData("VIEWER_TOKEN", $"a-token-of-its-own-0001, {RunningService.ApiToken}")]
    [InlineData("Authentication__Oidc__Authority", "http://login.example.com")]
    [InlineData("GITHUB_ORG", "not an org")]
    [InlineData("GITHUB_ORG", "../evil")]
    [InlineData("GITHUB_API_URL", "api.github.com")]
    [InlineData("GITHUB_API_URL", "ftp://api.github.com")]
    [InlineData("GITHUB_API_URL", $"https://user:{Secret}@api.github.com")]
    [InlineData("GITHUB_TOKEN", $"{Secret} and more")]
    [InlineData("GitHub__RequestTimeout", "soon")]
    [InlineData("GitHub__ContentBudget", "60 a minute")]
    [InlineData("Jobs__Workers", "0")]
    [InlineData("Jobs__FirstRetryDelay", "-00:00:01")]
    [InlineData("Retention__Audit", "0")]
    [InlineData("Retention__Timeline", "a while")]
    [InlineData("Retention__SucceededJobs", "3651")]
    [InlineData("RateLimits__PublicPerMinute", "0")]
    [InlineData("ALLOWED_ORIGINS", "https://app.example.com/path")]
    [InlineData("KNOWN_PROXIES", "everyone")]
    [InlineData("ASPNETCORE_URLS", "foo")]
    [InlineData("ASPNETCORE_URLS", "http://localhost:99999")]
    [InlineData("ASPNETCORE_URLS", "http://localhost:8788;ftp://localhost")]
    [InlineData("ConnectionStrings__DataService", null)]
    [InlineData("ConnectionStrings__DataService", $"Host=x;Pasword={Secret}")]
    [InlineData("ConnectionStrings__DataService", "Database=x")]
    [InlineData("ConnectionStrings__DataService", $"Host=127.0.0.1;Port=1;Username=u;Password={Secret};Database=d")]
    public async Task A_wrong_or_missing_value_is_one_line_that_names_the_variable_and_exit_code_1(string variable, string? value)
    {
        await using var service = ServiceProcess.Start(new(Environment("Host=127.0.0.1;Database=unused;Username=u")) { [variable] = value });

        Assert.Equal(1, await service.ExitCodeAsync());

        Assert.StartsWith($"{variable} ", service.Error, StringComparison.Ordinal);
        Assert.Single(service.Error.TrimEnd().Split('\n'));
        Assert.DoesNotContain(Secret, service.Error + service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_is_in_use_is_said_with_the_variable_and_exit_code_1()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        await using var service = ServiceProcess.Start(
            new(Environment(await cluster.CreateEmptyDatabaseAsync())) { ["ASPNETCORE_URLS"] = $"http://{other.LocalEndpoint}" });

        Assert.Equal(1, await service.ExitCodeAsync());

        Assert.StartsWith("ASPNETCORE_URLS is where nobody can listen", service.Error, StringComparison.Ordinal);
        Assert.Single(service.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Migrate_only_applies_the_migrations_and_exits()
    {
        var database = await cluster.CreateEmptyDatabaseAsync();
        await using var service = ServiceProcess.Start(Environment(database), ["--migrate-only"]);

        Assert.Equal(0, await service.ExitCodeAsync());

        Assert.Equal(0L, await PostgresCluster.QueryAsync<long>(database, "SELECT count(*) FROM projects"));
        Assert.Equal(0L, await PostgresCluster.QueryAsync<long>(database, "SELECT count(*) FROM hangfire.job"));
        Assert.DoesNotContain("Now listening", service.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Several_instances_that_start_at_once_on_an_empty_database_migrate_it_once()
    {
        var database = await cluster.CreateEmptyDatabaseAsync();
        var services = Enumerable.Range(0, 3).Select(_ => ServiceProcess.Start(Environment(database), ["--migrate-only"])).ToList();

        var exitCodes = await Task.WhenAll(services.Select(service => service.ExitCodeAsync()));

        Assert.All(exitCodes, code => Assert.Equal(0, code));
        Assert.DoesNotContain(services, service => service.Output.Contains("\"@l\":\"Error\"", StringComparison.Ordinal));
        foreach (var service in services)
            await service.DisposeAsync();
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("--migrate-only", 143)]
    public async Task SIGTERM_during_the_start_ends_it_at_once(string? argument, int exitCode)
    {
        var database = await cluster.CreateEmptyDatabaseAsync();
        await using var another = new NpgsqlConnection(database);
        await another.OpenAsync(Cancelled);
        await using (var holdsTheLock = new NpgsqlCommand($"SELECT pg_advisory_lock({DatabaseMigration.LockKey})", another))
            await holdsTheLock.ExecuteNonQueryAsync(Cancelled);
        await using var service = ServiceProcess.Start(Environment(database), argument is null ? [] : [argument]);
        await Eventually.ReturnsAsync(
            () => PostgresCluster.QueryAsync<long>(database, """
                SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database AND datname = current_database()
                WHERE locktype = 'advisory' AND NOT granted
                """),
            waiting => waiting > 0, "the migration to wait");

        await service.SignalAsync("TERM");

        Assert.Equal(exitCode, await service.ExitCodeAsync(TimeSpan.FromSeconds(15)));
    }

    [Fact]
    public async Task After_SIGTERM_a_running_job_is_finished_and_the_exit_code_is_0()
    {
        await using var gitHub = await RunningService.StartSimulatorAsync();
        var state = gitHub.Services.GetRequiredService<SimulatorState>();
        state.Faults.Add(new FaultRule { Kind = FaultKind.Delay, Method = "POST", DelayMs = 1_500 });
        var database = await cluster.CreateDatabaseAsync();
        await using var service = await StartServingAsync(database, gitHub);
        await ApproveAsync(service, "Last one");
        await state.Requests.WhenReceived(request => request.Method == "POST", Cancelled);

        await service.SignalAsync("TERM");

        Assert.Equal(0, await service.ExitCodeAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal("auditmos-projects/last-one", await PostgresCluster.QueryAsync<string>(database, "SELECT github_repo FROM projects"));
    }

    [Fact]
    public async Task After_SIGTERM_a_job_that_cannot_be_finished_is_handed_back_and_another_instance_takes_it()
    {
        await using var gitHub = await RunningService.StartSimulatorAsync();
        var state = gitHub.Services.GetRequiredService<SimulatorState>();
        var hang = state.Faults.Add(new FaultRule { Kind = FaultKind.Hang, Method = "POST" });
        var database = await cluster.CreateDatabaseAsync();
        await using var service = await StartServingAsync(database, gitHub, ("GitHub__RequestTimeout", "00:10:00"));
        await ApproveAsync(service, "Stuck");
        await state.Requests.WhenReceived(request => request.Method == "POST", Cancelled);

        await service.SignalAsync("TERM");

        Assert.Equal(0, await service.ExitCodeAsync(TimeSpan.FromSeconds(35)));
        // The queue may hold a recurring job too, whose minute came while the service stopped.
        Assert.Equal(1L, await PostgresCluster.QueryAsync<long>(
            database, "SELECT count(*) FROM hangfire.jobqueue WHERE fetchedat IS NULL AND jobid::text = (SELECT job_id FROM repo_creations)"));
        Assert.Equal("creating", await PostgresCluster.QueryAsync<string>(database, "SELECT state FROM repo_creations"));

        state.Faults.Remove(hang.Id);
        await using var other = await StartServingAsync(database, gitHub);
        await Eventually.ReturnsAsync(
            () => PostgresCluster.QueryAsync<string>(database, "SELECT github_repo FROM projects"), name => name == "auditmos-projects/stuck", "the other instance to create it");
    }

    [Fact]
    public async Task Production_logs_one_JSON_object_a_line_and_no_secret()
    {
        await using var gitHub = await RunningService.StartSimulatorAsync();
        await using var service = await StartServingAsync(await cluster.CreateDatabaseAsync(), gitHub);
        await ApproveAsync(service, "Logged");
        await service.SignalAsync("TERM");
        await service.ExitCodeAsync();

        var lines = service.Output.TrimEnd().Split('\n');

        Assert.True(lines.Length > 3, service.Output);
        Assert.All(lines, line => Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(line).RootElement.ValueKind));
        Assert.DoesNotContain(RunningService.ApiToken, service.Output + service.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(RunningService.GitHubToken, service.Output + service.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_Development_a_missing_API_token_is_made_up_and_printed_once()
    {
        var environment = Environment(await cluster.CreateDatabaseAsync());
        environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        environment["API_TOKEN"] = null;
        await using var service = ServiceProcess.Start(environment);
        await service.IsReadyAsync();

        var printed = Assert.Single(service.Output.Split('\n'), line => line.StartsWith("API_TOKEN=", StringComparison.Ordinal));

        using var http = new HttpClient { BaseAddress = service.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", printed["API_TOKEN=".Length..].Trim());
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/projects", Cancelled)).StatusCode);
    }

    private static async Task<ServiceProcess> StartServingAsync(string database, WebApplication gitHub, params (string Name, string Value)[] settings)
    {
        var environment = Environment(database);
        environment["GITHUB_API_URL"] = gitHub.Urls.First();
        foreach (var (name, value) in settings)
            environment[name] = value;
        var service = ServiceProcess.Start(environment);
        await service.IsReadyAsync();
        return service;
    }

    private static async Task ApproveAsync(ServiceProcess service, string name)
    {
        using var http = new HttpClient { BaseAddress = service.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", RunningService.ApiToken);
        var project = await (await http.PostAsJsonAsync("/projects", new { name }, Cancelled)).ReadAsync(HttpStatusCode.Created);
        await (await http.PostAsync($"/projects/{project.GetProperty("slug").GetString()}/approve", null, Cancelled)).ReadAsync(HttpStatusCode.OK);
    }

    private static Dictionary<string, string?> Environment(string connectionString) => new()
    {
        ["ConnectionStrings__DataService"] = connectionString,
        ["API_TOKEN"] = RunningService.ApiToken,
        ["GITHUB_TOKEN"] = RunningService.GitHubToken,
        ["GITHUB_ORG"] = RunningService.Organization,
    };
}
