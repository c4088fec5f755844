using System.Net.Http.Headers;
using System.Text;
using GitHubSimulator;
using Octokit;
using Octokit.Internal;

namespace DataService.Tests.GitHubSimulator;

/// <summary>A simulator of its own on a free port, with a plain client and the real Octokit to talk to it.</summary>
internal sealed class RunningSimulator : IAsyncDisposable
{
    public const string Token = "canary-token";
    private readonly WebApplication _app;

    private RunningSimulator(WebApplication app)
    {
        _app = app;
        Address = app.Urls.Single();
        State = app.Services.GetRequiredService<SimulatorState>();
        Http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new(Address) };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        Octokit = OctokitWith(Token);
    }

    public string Address { get; }

    public SimulatorState State { get; }

    public HttpClient Http { get; }

    public IConnection Octokit { get; }

    public static async Task<RunningSimulator> StartAsync(TimeProvider? time = null, string? dataFile = null)
    {
        var app = SimulatorHost.Create(
            ["--urls", "http://127.0.0.1:0", "--GITHUB_TOKEN", Token, "--GITHUB_ORG", "acme", "--SIMULATOR_DATA", dataFile ?? ""], time);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new(app);
    }

    public IConnection OctokitWith(string token) => new Connection(
        new("tests"),
        new($"{Address}/api/v3/"),
        new InMemoryCredentialStore(new(token)),
        new HttpClientAdapter(() => new HttpClientHandler { AllowAutoRedirect = false }),
        new SimpleJsonSerializer());

    public async Task<Repository?> CreateAsync(string name, CancellationToken? cancellationToken = null)
    {
        var response = await Octokit.Post<Repository>(
            new("orgs/acme/repos", UriKind.Relative),
            new NewRepository(name) { Private = true, Description = "A description" },
            null,
            null,
            (IDictionary<string, string>?)null,
            cancellationToken ?? TestContext.Current.CancellationToken);
        return response.Body;
    }

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body = null) => Http.SendAsync(
        new(method, path) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded") },
        TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }
}
