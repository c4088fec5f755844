using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Http;

public sealed class BodyLimitsTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private const int Mebibyte = 1024 * 1024;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_limit_answers_413_in_words_announced_or_not(bool announced)
    {
        await Service.CreateProjectAsync("Acme");
        (HttpMethod Method, string Path, int Limit, string Text)[] endpoints =
        [
            (HttpMethod.Post, "/projects", Mebibyte, "The body is too large: at most 1 MiB are taken here."),
            (HttpMethod.Put, "/projects/acme/status", Mebibyte, "The body is too large: at most 1 MiB are taken here."),
            (HttpMethod.Put, "/projects/acme/spec", 4 * Mebibyte, "The body is too large: at most 4 MiB are taken here."),
        ];

        await Assert.AllAsync(endpoints, async endpoint =>
        {
            var response = await SendAsync(endpoint.Method, endpoint.Path, Filled(endpoint.Limit + 1), announced);
            var problem = await response.ReadProblemAsync(HttpStatusCode.RequestEntityTooLarge, "VALIDATION_ERROR");
            Assert.Equal(endpoint.Text, problem.GetProperty("message").GetString());
        });

        await (await Service.Http.GetAsync("/projects/acme/spec", Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
    }

    [Theory]
    [InlineData(true, 0)]
    // The frames of the chunks count.
    [InlineData(false, 1024)]
    public async Task A_body_of_just_the_limit_is_read(bool announced, int frames)
    {
        await Service.CreateProjectAsync("Acme");

        var name = await SendAsync(HttpMethod.Post, "/projects", Filled(Mebibyte - frames), announced);
        var spec = await SendAsync(HttpMethod.Put, "/projects/acme/spec", Filled((4 * Mebibyte) - frames), announced);

        await name.ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
        await spec.ReadAsync(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_stands_in_a_refused_body_is_not_taken_for_a_request()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(Service.Address.Host, Service.Address.Port, Cancelled);
        await using var stream = client.GetStream();
        var head = $"POST /projects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {RunningService.ApiToken}\r\nContent-Type: application/json\r\n";
        const string Inner = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
        var body = Inner + new string('x', 2 * Mebibyte);

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{head}Content-Length: {body.Length}\r\n\r\n{body}"), Cancelled);
        await stream.WriteAsync(Encoding.ASCII.GetBytes("GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), Cancelled);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var answers = await reader.ReadToEndAsync(Cancelled);

        Assert.Equal(["413", "401"], answers.Split("HTTP/1.1 ").Skip(1).Select(answer => answer[..3]));
    }

    [Fact]
    public async Task Without_a_token_too_a_body_over_the_limit_is_answered()
    {
        using var request = Request(HttpMethod.Post, "/projects", Filled(8 * Mebibyte), announced: true);

        await (await Service.Anonymous.SendAsync(request, Cancelled)).ReadProblemAsync(HttpStatusCode.RequestEntityTooLarge, "VALIDATION_ERROR");
    }

    /// <summary>A valid body of exactly so many bytes, for any of the endpoints.</summary>
    private static byte[] Filled(int size)
    {
        var frame = JsonSerializer.SerializeToUtf8Bytes(new { contentMarkdown = "", name = "", status = "" });
        var at = frame.AsSpan().IndexOf("\"contentMarkdown\":\""u8) + "\"contentMarkdown\":\"".Length;
        return [.. frame[..at], .. Enumerable.Repeat((byte)'x', size - frame.Length), .. frame[at..]];
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, byte[] body, bool announced) => new(method, path)
    {
        Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        Headers = { TransferEncodingChunked = !announced },
    };

    private Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, byte[] body, bool announced) =>
        Service.Http.SendAsync(Request(method, path, body, announced), Cancelled);
}
