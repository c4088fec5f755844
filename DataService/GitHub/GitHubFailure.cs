using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using DataService.Domain;
using Octokit;

namespace DataService.GitHub;

/// <summary>Tells what an exception from GitHub means. Pure; the only place where failures are classified.</summary>
internal static class GitHubFailure
{
    /// <summary>Longer than any of GitHub's windows; a proxy's absurd Retry-After shall not park a job for a year.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(24);

    private const int MaxTextLength = 1_000;

    /// <summary>Classifies any exception that a call through Octokit can end in; what it does not know is our own fault.</summary>
    /// <param name="exception">As thrown by Octokit 14, see its HandleErrors.</param>
    /// <param name="now">UTC.</param>
    public static Failure Classify(Exception exception, DateTime now)
    {
        var failure = Read(exception, now);
        return failure with { Text = Printable(failure.Text) };
    }

    private static Failure Read(Exception exception, DateTime now) => exception switch
    {
        ApiValidationException taken when IsNameTaken(taken) => Of(FailureKind.GitHubRepoNameTaken, taken),
        // The reason may be that the name is taken, and the taker may be ourselves: nobody can tell.
        ApiValidationException odd when IsUnreadable(odd) => Of(FailureKind.GitHubUnavailable, odd),
        ApiValidationException refused => Of(FailureKind.GitHubValidation, refused),
        AuthorizationException refused => Of(FailureKind.GitHubUnauthorized, refused),
        // The three limits are kinds of ForbiddenException and so come first.
        RateLimitExceededException limited => Limited(limited, now),
        SecondaryRateLimitExceededException or AbuseException or LoginAttemptsExceededException => Limited((ApiException)exception, now),
        ForbiddenException refused when RetryAfter(refused, now) is not null => Limited(refused, now),
        ForbiddenException refused => Of(FailureKind.GitHubForbidden, refused),
        NotFoundException missing => Of(FailureKind.GitHubNotFound, missing),
        ApiException { StatusCode: HttpStatusCode.Gone } gone => Of(FailureKind.GitHubNotFound, gone),
        ApiException { StatusCode: HttpStatusCode.TooManyRequests } limited => Limited(limited, now),
        ApiException { StatusCode: HttpStatusCode.RequestTimeout } slow => Of(FailureKind.GitHubUnavailable, slow),
        ApiException { StatusCode: >= HttpStatusCode.InternalServerError } broken =>
            Of(FailureKind.GitHubUnavailable, broken) with { RetryAt = RetryAfter(broken, now) },
        // 451 and every other 4xx: refused, for a reason that only a person can remove.
        ApiException { StatusCode: >= HttpStatusCode.BadRequest } refused => Of(FailureKind.GitHubValidation, refused),
        ApiException odd => Of(FailureKind.GitHubUnavailable, odd),
        UnusableAnswerException odd => new(FailureKind.GitHubUnavailable, null, odd.Message),
        System.Runtime.Serialization.SerializationException => new(FailureKind.GitHubUnavailable, null, "GitHub's answer was cut short or is no JSON."),
        TimeoutException slow => new(FailureKind.GitHubUnavailable, null, slow.Message),
        OperationCanceledException => new(FailureKind.GitHubUnavailable, null, "The call to GitHub was cancelled before its answer came."),
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } large => new(FailureKind.GitHubUnavailable, null, large.Message),
        HttpRequestException lost => new(FailureKind.GitHubUnavailable, null, $"No answer from GitHub: {Innermost(lost)}"),
        // HttpClient lets it through where the connection breaks in the moment in which it was made.
        SocketException lost => new(FailureKind.GitHubUnavailable, null, $"No answer from GitHub: {lost.Message}"),
        IOException lost => new(FailureKind.GitHubUnavailable, null, $"No complete answer from GitHub: {Innermost(lost)}"),
        _ => new(FailureKind.Internal, null, "The service itself failed; its log has the details."),
    };

    /// <summary>
    /// Whether a creation was refused because the name is taken. Octokit has an exception of its own for it, but only in its
    /// repository client, whose calls cannot be cancelled; the connection throws the general one.
    /// </summary>
    public static bool IsNameTaken(ApiValidationException exception) =>
        exception.ApiError?.Errors?.Any(error => error.Message is { } text && text.StartsWith("name already exists", StringComparison.OrdinalIgnoreCase)) is true;

    /// <summary>Whether a call that ended so may have done its work all the same: its answer was lost, or came from something before GitHub.</summary>
    public static bool MayHaveWorked(Exception exception) => exception switch
    {
        // Nothing was sent.
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError } => false,
        ApiValidationException refused => IsUnreadable(refused),
        ApiException refused => refused.StatusCode is < HttpStatusCode.BadRequest or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError,
        _ => true,
    };

    /// <summary>Octokit takes a body that it cannot read for the message itself, and one that is missing for no message.</summary>
    private static bool IsUnreadable(ApiException exception) => exception.ApiError?.Message?.Trim() is null or "" or "null" or ['{' or '[' or '<' or '"', ..];

    private static Failure Of(FailureKind kind, ApiException exception) => new(kind, (int)exception.StatusCode, Text(kind, exception));

    private static Failure Limited(ApiException exception, DateTime now) => Of(FailureKind.GitHubRateLimited, exception) with
    {
        RetryAt = RetryAfter(exception, now) ?? Reset(exception, now),
    };

    /// <summary>In seconds or as a date, as RFC 9110 allows.</summary>
    private static DateTime? RetryAfter(ApiException exception, DateTime now)
    {
        if (exception is AbuseException { RetryAfterSeconds: { } abuse })
            return Bounded(now.AddSeconds(abuse), now);
        if (Header(exception, "Retry-After") is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return Bounded(now.AddSeconds(seconds), now);
        return DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var at)
            ? Bounded(at, now)
            : null;
    }

    private static DateTime? Reset(ApiException exception, DateTime now) =>
        Header(exception, "X-RateLimit-Remaining") is "0"
        && long.TryParse(Header(exception, "X-RateLimit-Reset"), NumberStyles.None, CultureInfo.InvariantCulture, out var epochSeconds)
        && epochSeconds < DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            // One second on top: the reset is cut to whole seconds.
            ? Bounded(DateTimeOffset.FromUnixTimeSeconds(epochSeconds).UtcDateTime.AddSeconds(1), now)
            : null;

    private static DateTime Bounded(DateTime at, DateTime now) => at < now ? now : at - now > LongestWait ? now + LongestWait : at;

    private static string? Header(ApiException exception, string name) =>
        exception.HttpResponse?.Headers.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private static string Text(FailureKind kind, ApiException exception)
    {
        var message = exception.ApiError?.Message;
        // A body that is no JSON arrives here whole: an HTML page tells an operator nothing.
        if (message is null || IsUnreadable(exception))
            return $"GitHub answered {(int)exception.StatusCode} without a reason.";
        var details = (exception.ApiError?.Errors ?? [])
            .Select(error => error.Message is { Length: > 0 } text ? text : $"{error.Resource} {error.Field} {error.Code}".Trim())
            .Where(text => text.Length > 0);
        // It comes with a limit's answer too, which no permission would change.
        var needed = kind is FailureKind.GitHubForbidden && Header(exception, "X-Accepted-GitHub-Permissions") is { Length: > 0 } permissions
            ? $" (needs {permissions})"
            : "";
        return string.Join(' ', details.Prepend(message)) + needed;
    }

    /// <summary>Fit for a row and a line: PostgreSQL takes no NUL and no half of a character, and GitHub's text may hold any, also where it is cut.</summary>
    private static string Printable(string text)
    {
        var printable = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (printable.Length + rune.Utf16SequenceLength > MaxTextLength)
                return printable.Append('…').ToString();
            printable.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        }

        return printable.ToString();
    }

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
            exception = inner;
        return exception.Message;
    }
}
