using DataService.Tests.Support;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace DataService.Tests.Scripts;

/// <summary>What stands between a script and the service, or in its place.</summary>
public sealed class AnswersTests
{
    private const string Page = """{"data":[],"nextCursor":null,"countsByCode":{}}""";

    [Theory]
    [InlineData(503, "application/problem+json", """{"code":"DATABASE_UNAVAILABLE","message":"The database does not answer."}""", "The database does not answer.")]
    [InlineData(503, "text/plain", "upstream connect error", "answers 503")]
    [InlineData(429, "text/html", "<html>slow down</html>", "answers 429")]
    public async Task A_break_that_is_asked_for_is_taken(int status, string type, string body, string said)
    {
        var calls = 0;
        await using var service = await StartAsync(context =>
        {
            context.Response.Headers.RetryAfter = "1";
            return Interlocked.Increment(ref calls) is 1 ? (status, type, body) : (200, "application/json", Page);
        });

        var list = await Script.RunWithAsync(Environment(service), "list-failed");

        Assert.Equal((0, 2), (list.ExitCode, calls));
        Assert.Contains(said, list.Error, StringComparison.Ordinal);
        Assert.Contains("Going on in 1 s", list.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(302, "text/html", "", "a redirect to https://elsewhere.example/login")]
    [InlineData(200, "text/html", "<html>Welcome</html>", "is not DataService's API: 200 with text/html")]
    [InlineData(404, "text/html", "<html>Nothing here</html>", "is not DataService's API: 404")]
    [InlineData(200, "application/json", """{"message":"hello"}""", "is not DataService's API")]
    [InlineData(500, "application/problem+json", """{"code":"INTERNAL","message":"The service failed."}""", "The service failed. (500 INTERNAL, X-Request-Id r-17)")]
    public async Task Any_other_answer_ends_it_with_a_line_that_says_what_it_was(int status, string type, string body, string said)
    {
        var calls = 0;
        await using var service = await StartAsync(context =>
        {
            Interlocked.Increment(ref calls);
            context.Response.Headers.Location = "https://elsewhere.example/login";
            context.Response.Headers["X-Request-Id"] = "r-17";
            return (status, type, body);
        });

        var list = await Script.RunWithAsync(Environment(service), "list-failed");

        Assert.Equal((1, "", 1), (list.ExitCode, list.Output, calls));
        Assert.Contains(said, list.Error, StringComparison.Ordinal);
        Assert.Single(list.Error.Trim().Split('\n'));
    }

    [Fact]
    public async Task A_service_that_is_not_there_is_said_to_be_so()
    {
        var nowhere = new Dictionary<string, string?> { ["API_TOKEN"] = "a-token-of-somebody", ["DATASERVICE_URL"] = $"http://127.0.0.1:{ServiceProcess.FreePort()}" };

        var list = await Script.RunWithAsync(nowhere, "list-failed");
        Assert.Equal(3, list.ExitCode);
        Assert.Contains("does not answer: Connection refused", list.Error, StringComparison.Ordinal);

        var doctor = await Script.RunWithAsync(nowhere, "doctor");
        Assert.Equal(2, doctor.ExitCode);
        Assert.StartsWith("fail  service", doctor.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await Script.RunWithAsync(new(nowhere) { ["DATASERVICE_URL"] = "localhost:8788" }, "list-failed")).ExitCode);
    }

    private static Dictionary<string, string?> Environment(WebApplication service) => new() { ["API_TOKEN"] = "a-token-of-somebody", ["DATASERVICE_URL"] = service.Urls.Single() };

    private static async Task<WebApplication> StartAsync(Func<HttpContext, (int Status, string Type, string Body)> answer)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.Run(async context =>
        {
            var (status, type, body) = answer(context);
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            await context.Response.WriteAsync(body);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
