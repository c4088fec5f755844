using DataService.Domain;

namespace DataService.GitHub;

/// <summary>Says in the log, at the start and then daily, that the token is about to expire. It holds up nothing, also where GitHub is away.</summary>
internal sealed partial class TokenWatch(TokenInspection inspection, GitHubOptions options, TimeProvider time, ILogger<TokenWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    /// <summary>Where GitHub has not told.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromHours(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Token is null)
            return;
        await Task.Yield();
        while (true)
            await Task.Delay(await LookAsync(stoppingToken) ? Interval : RetryInterval, time, stoppingToken);
    }

    /// <returns>Whether GitHub has told.</returns>
    private async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        var (reply, _) = await inspection.WhoAsync(cancellationToken);
        if (reply.Failure is { Kind: FailureKind.GitHubUnauthorized } refusal)
        {
            LogRefused(refusal.Text);
            return true;
        }

        if (reply.TokenExpires is { } expires && expires - time.GetUtcNow().UtcDateTime is var left && left <= TokenInspection.ShortNotice)
            LogExpires(Math.Max(0, (int)left.TotalDays), expires);
        // Whoever tells the expiry has let the token in, whatever else was wrong.
        if (reply is { Failure: { } failure, TokenExpires: null })
        {
            LogNotAsked(failure.Text);
            return false;
        }

        return true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "GITHUB_TOKEN expires in {Days} days, at {ExpiresAt:u}: make a new one, set it and restart the instances, or creations will fail")]
    private partial void LogExpires(int days, DateTime expiresAt);

    [LoggerMessage(Level = LogLevel.Error, Message = "GitHub refuses GITHUB_TOKEN: it is wrong, expired or revoked. Set a new one and restart the instances. {GithubError}")]
    private partial void LogRefused(string githubError);

    [LoggerMessage(Level = LogLevel.Warning, Message = "GitHub could not be asked when GITHUB_TOKEN expires, and will be within an hour: {Reason}")]
    private partial void LogNotAsked(string reason);
}
