using System.Diagnostics;
using DataService.Domain;
using Octokit;
using Octokit.Caching;
using Octokit.Internal;

namespace DataService.GitHub;

internal static class GitHubSetup
{
    private const string ClientName = "github";

    /// <summary>Adds Octokit over the host's own HTTP handlers. No handler here retries: a POST that creates something is sent once.</summary>
    /// <exception cref="ConfigurationException">A GITHUB_* variable does not fit.</exception>
    public static void AddGitHub(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(GitHubOptions.From(builder.Configuration));
        builder.Services.AddSingleton<GitHubMetrics>();
        builder.Services.AddTransient<GitHubHandler>();
        builder.Services.AddHttpClient(ClientName)
            // Octokit holds one client for the life of the process, so it is the pool that has to follow DNS.
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                // Octokit follows redirects itself and keeps the method; .NET would turn a redirected POST into a GET.
                AllowAutoRedirect = false,
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                ConnectTimeout = TimeSpan.FromSeconds(10),
                UseCookies = false,
                // Calls are traced, and GitHub learns nothing of our traces.
                ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
            })
            .AddHttpMessageHandler<GitHubHandler>()
            .RemoveAllLoggers();
        builder.Services.AddSingleton<IConnection>(services =>
            Connect(services, http => new CachingHttpClient(http, services.GetRequiredService<ResponseCache>())));
        // A remembered answer would tell an old time, and an old token's expiry.
        builder.Services.AddSingleton(services => new TokenInspection(
            Connect(services, http => http), services.GetRequiredService<GitHubOptions>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddHostedService<TokenWatch>();
        builder.Services.AddSingleton<ResponseCache>();
        builder.Services.AddSingleton<ContentBudget>();
        builder.Services.AddSingleton<RepositoryCreator>();
        builder.Services.AddSingleton<RepositoryCatalog>();
        builder.Services.AddSingleton<IssueTracker>();
    }

    private static Connection Connect(IServiceProvider services, Func<IHttpClient, IHttpClient> around)
    {
        var options = services.GetRequiredService<GitHubOptions>();
        var handlers = services.GetRequiredService<IHttpMessageHandlerFactory>();
        var credentials = options.Token is { } token ? new Credentials(token, AuthenticationType.Bearer) : Credentials.Anonymous;
        return new Connection(
            new ProductHeaderValue("DataService"),
            options.ApiUrl,
            new InMemoryCredentialStore(credentials),
            around(new UntimedHttpClient(new HttpClientAdapter(() => handlers.CreateHandler(ClientName)))),
            new SimpleJsonSerializer());
    }
}
