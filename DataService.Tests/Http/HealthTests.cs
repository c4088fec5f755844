using System.Globalization;
using System.Text.Json;
using DataService.Tests.Support;
using Npgsql;

namespace DataService.Tests.Http;

public sealed class HealthTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private readonly PostgresCluster _cluster = cluster;

    [Fact]
    public async Task A_process_that_answers_is_live()
    {
        var live = await (await Service.Anonymous.GetAsync("/health/live", Cancelled)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal(["status", "time"], live.EnumerateObject().Select(member => member.Name));
        Assert.Equal("ok", live.GetProperty("status").GetString());
        AssertNow(live);
    }

    [Theory]
    [InlineData("/health/live", HttpStatusCode.OK, "application/json")]
    [InlineData("/health/ready", HttpStatusCode.OK, "application/json")]
    [InlineData("/openapi/v1.json", HttpStatusCode.OK, "application/json")]
    [InlineData("/projects", HttpStatusCode.Unauthorized, "application/problem+json")]
    public async Task HEAD_is_answered_as_GET_without_the_body(string path, HttpStatusCode status, string type)
    {
        using var head = await Service.Anonymous.SendAsync(new HttpRequestMessage(HttpMethod.Head, path), Cancelled);

        Assert.Equal((status, type), (head.StatusCode, head.Content.Headers.ContentType?.MediaType));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Cancelled));
        using var list = await Service.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/projects"), Cancelled);
        Assert.Equal(HttpStatusCode.OK, list.StatusCode);
        using var none = await Service.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/projects/nobody/approve"), Cancelled);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, none.StatusCode);
        Assert.Contains(Service.Logs.Events, e => e.Properties.TryGetValue("RequestMethod", out var method) && method.ToString() is "\"HEAD\"");
    }

    [Fact]
    public async Task A_service_with_its_database_is_ready() =>
        AssertReady(await (await Service.Anonymous.GetAsync("/health/ready", Cancelled)).ReadAsync(HttpStatusCode.OK), "ok", "connected");

    [Fact]
    public async Task A_service_that_lost_its_database_is_live_and_not_ready_until_it_is_back()
    {
        var name = new NpgsqlConnectionStringBuilder(Service.ConnectionString).Database;
        await PostgresCluster.QueryAsync<object>(_cluster.ConnectionString, $"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        await PostgresCluster.QueryAsync<object>(_cluster.ConnectionString, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");

        var response = await Service.Anonymous.GetAsync("/health/ready", Cancelled);

        AssertReady(await response.ReadAsync(HttpStatusCode.ServiceUnavailable), "degraded", "disconnected");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        await (await Service.Anonymous.GetAsync("/health/live", Cancelled)).ReadAsync(HttpStatusCode.OK);

        await PostgresCluster.QueryAsync<object>(_cluster.ConnectionString, $"ALTER DATABASE {name} ALLOW_CONNECTIONS true");
        await Eventually.ReturnsAsync(
            async () => (await Service.Anonymous.GetAsync("/health/ready", Cancelled)).StatusCode, status => status is HttpStatusCode.OK, "the service to be ready again");
    }

    private static void AssertReady(JsonElement ready, string status, string database)
    {
        Assert.Equal(["status", "env", "service", "time", "database"], ready.EnumerateObject().Select(member => member.Name));
        Assert.Equal((status, database), (ready.GetProperty("status").GetString(), ready.GetProperty("database").GetString()));
        Assert.Equal("Development", ready.GetProperty("env").GetString());
        Assert.False(string.IsNullOrEmpty(ready.GetProperty("service").GetString()));
        AssertNow(ready);
    }

    private static void AssertNow(JsonElement answer)
    {
        var text = answer.GetProperty("time").GetString()!;
        Assert.EndsWith("Z", text, StringComparison.Ordinal);
        var time = DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
        Assert.InRange(time, DateTime.UtcNow.AddMinutes(-1), DateTime.UtcNow.AddMinutes(1));
    }
}
