using System.Globalization;
using DataService.Domain;
using Octokit;

namespace DataService.GitHub;

/// <summary>How a call went, and what GitHub tells on the way.</summary>
/// <param name="Failure">Null where it was answered.</param>
/// <param name="TokenExpires">UTC; null where the token does not expire, or the answer does not say it.</param>
/// <param name="Skew">How far our clock is ahead of GitHub's, to a second; null where the answer bears no time.</param>
/// <param name="Limit">Null where the answer tells none.</param>
internal sealed record GitHubReply(Failure? Failure, DateTime? TokenExpires, TimeSpan? Skew, RateLimit? Limit);

/// <summary>Asks GitHub about the token, with calls that only read and answers that no cache has seen.</summary>
internal sealed class TokenInspection(IConnection connection, GitHubOptions options, TimeProvider time)
{
    /// <summary>Days enough to have a new one approved by the organisation's owners.</summary>
    public static readonly TimeSpan ShortNotice = TimeSpan.FromDays(14);

    /// <summary>A time without fractions is half a second early, on average.</summary>
    private static readonly TimeSpan HeaderFraction = TimeSpan.FromMilliseconds(500);

    private static readonly string[] ExpiryFormats = ["yyyy-MM-dd HH:mm:ss 'UTC'", "yyyy-MM-dd HH:mm:ss zzz", "yyyy-MM-dd HH:mm:ss zz'00'"];

    /// <summary>Whose token it is.</summary>
    public async Task<(GitHubReply Reply, string? Login)> WhoAsync(CancellationToken cancellationToken)
    {
        var (reply, user) = await AskAsync<User>("user", cancellationToken);
        return (reply, user?.Login);
    }

    /// <summary>Whether the token sees the organisation.</summary>
    public async Task<GitHubReply> OrganizationAsync(CancellationToken cancellationToken) =>
        (await AskAsync<Organization>($"orgs/{options.Organization}", cancellationToken)).Reply;

    /// <summary>A private repository of the organisation; null where there is none: what is public tells nothing of permissions.</summary>
    public async Task<(GitHubReply Reply, string? FullName)> AnyRepositoryAsync(CancellationToken cancellationToken)
    {
        var (reply, repositories) = await AskAsync<List<RepositoryAnswer>>($"orgs/{options.Organization}/repos?type=private&per_page=1", cancellationToken);
        return (reply, repositories?.FirstOrDefault()?.FullName);
    }

    /// <summary>Asks for the deploy keys, which want the permission Administration.</summary>
    public Task<GitHubReply> AdministrationAsync(string fullName, CancellationToken cancellationToken) => ListAsync(fullName, "keys", cancellationToken);

    public Task<GitHubReply> IssuesAsync(string fullName, CancellationToken cancellationToken) => ListAsync(fullName, "issues", cancellationToken);

    /// <summary>Asks for the branches, which want the permission Contents, also of an empty repository.</summary>
    public Task<GitHubReply> ContentsAsync(string fullName, CancellationToken cancellationToken) => ListAsync(fullName, "branches", cancellationToken);

    private async Task<GitHubReply> ListAsync(string fullName, string what, CancellationToken cancellationToken) =>
        (await AskAsync<List<object>>($"repos/{fullName}/{what}?per_page=1", cancellationToken)).Reply;

    private async Task<(GitHubReply Reply, T? Body)> AskAsync<T>(string path, CancellationToken cancellationToken)
        where T : class
    {
        IResponse? response = null;
        T? body = null;
        Failure? failure = null;
        var begun = time.GetUtcNow();
        try
        {
            body = await options.CallAsync(
                async () =>
                {
                    try
                    {
                        var answer = await connection.Get<T?>(new Uri(path, UriKind.Relative), null, null, cancellationToken);
                        response = answer.HttpResponse;
                        return answer.Body ?? throw new UnusableAnswerException("GitHub answered with nothing.");
                    }
                    catch (ApiException exception)
                    {
                        response = exception.HttpResponse;
                        throw;
                    }
                },
                time, cancellationToken);
        }
        catch (FailureException exception)
        {
            failure = exception.Failure;
        }

        // GitHub's clock was read somewhere between; its header has no fractions.
        var middle = begun + (time.GetUtcNow() - begun) / 2;
        var skew = DateTimeOffset.TryParse(Header(response, "Date"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date)
            ? middle - date - HeaderFraction : (TimeSpan?)null;
        return (new GitHubReply(failure, Expiry(Header(response, "github-authentication-token-expiration")), skew, Limit(response)), body);
    }

    private static RateLimit? Limit(IResponse? response) => response?.ApiInfo?.RateLimit is { Limit: > 0 } limit ? limit : null;

    private static DateTime? Expiry(string? text) =>
        DateTimeOffset.TryParseExact(text, ExpiryFormats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at.UtcDateTime : null;

    private static string? Header(IResponse? response, string name) =>
        response?.Headers.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}
