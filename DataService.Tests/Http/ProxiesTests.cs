using DataService.Tests.Support;

namespace DataService.Tests.Http;

/// <summary>Whose word counts for where a request comes from, seen by the limit of the login, which is kept per address.</summary>
public sealed class ProxiesTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private const int Permitted = 10;

    private readonly PostgresCluster _cluster = cluster;

    [Theory]
    [InlineData(null)]
    [InlineData("192.0.2.1, 10.0.0.0/8")]
    public async Task An_unknown_address_cannot_pass_for_others(string? knownProxies)
    {
        await using var service = await RunningService.StartAsync(_cluster, new() { ["KNOWN_PROXIES"] = knownProxies });

        for (var guess = 0; guess < Permitted; guess++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await GuessAsync(service, $"198.51.100.{guess}")).StatusCode);

        await (await GuessAsync(service, "198.51.100.99")).ReadProblemAsync(HttpStatusCode.TooManyRequests, "RATE_LIMITED");
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.0/8, ::1")]
    public async Task Behind_a_known_proxy_each_caller_has_a_limit_of_its_own(string knownProxies)
    {
        await using var service = await RunningService.StartAsync(_cluster, new() { ["KNOWN_PROXIES"] = knownProxies });

        for (var guess = 0; guess < Permitted; guess++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await GuessAsync(service, "198.51.100.1")).StatusCode);

        await (await GuessAsync(service, "198.51.100.1")).ReadProblemAsync(HttpStatusCode.TooManyRequests, "RATE_LIMITED");
        Assert.Equal(HttpStatusCode.Unauthorized, (await GuessAsync(service, "198.51.100.2")).StatusCode);
    }

    [Fact]
    public async Task What_a_caller_claims_before_the_proxy_does_not_count()
    {
        await using var service = await RunningService.StartAsync(_cluster, new() { ["KNOWN_PROXIES"] = "127.0.0.1" });

        for (var guess = 0; guess < Permitted; guess++)
            Assert.Equal(HttpStatusCode.Unauthorized, (await GuessAsync(service, $"203.0.113.{guess}, 198.51.100.1")).StatusCode);

        await (await GuessAsync(service, "203.0.113.99, 198.51.100.1")).ReadProblemAsync(HttpStatusCode.TooManyRequests, "RATE_LIMITED");
    }

    private static async Task<HttpResponseMessage> GuessAsync(RunningService service, string forwardedFor)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/hangfire/login") { Content = new FormUrlEncodedContent([new("token", "a guess")]) };
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwardedFor);
        return await service.Anonymous.SendAsync(request, Cancelled);
    }
}
