using DataService.Domain;

namespace DataService.Http;

/// <summary>The codes of the REST contract that are not a <see cref="FailureKind"/>.</summary>
internal static class ErrorCode
{
    public const string Validation = "VALIDATION_ERROR";
    public const string Unauthorized = "UNAUTHORIZED";
    public const string Forbidden = "FORBIDDEN";
    public const string NotFound = "NOT_FOUND";
    public const string Conflict = "CONFLICT";
    public const string InvalidState = "INVALID_STATE";
    public const string NoGitHubRepo = "NO_GITHUB_REPO";
    public const string RateLimited = "RATE_LIMITED";
    public const string DatabaseUnavailable = "DATABASE_UNAVAILABLE";
    public const string Internal = "INTERNAL";

    public static int Status(string code) => code switch
    {
        Validation => StatusCodes.Status400BadRequest,
        Unauthorized => StatusCodes.Status401Unauthorized,
        Forbidden => StatusCodes.Status403Forbidden,
        NotFound => StatusCodes.Status404NotFound,
        Conflict or InvalidState or NoGitHubRepo => StatusCodes.Status409Conflict,
        RateLimited => StatusCodes.Status429TooManyRequests,
        DatabaseUnavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>For what GitHub, or the way to it, failed at.</summary>
    public static int Status(FailureKind kind) => kind switch
    {
        FailureKind.GitHubUnauthorized => StatusCodes.Status401Unauthorized,
        FailureKind.GitHubForbidden => StatusCodes.Status403Forbidden,
        FailureKind.GitHubRepoNameTaken or FailureKind.GitHubValidation => StatusCodes.Status422UnprocessableEntity,
        FailureKind.GitHubNotFound => StatusCodes.Status404NotFound,
        FailureKind.GitHubRateLimited or FailureKind.GitHubTokenMissing => StatusCodes.Status503ServiceUnavailable,
        FailureKind.GitHubUnavailable => StatusCodes.Status502BadGateway,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>For answers that the framework makes: no route, wrong method, wrong content type, body too large.</summary>
    public static string ForStatus(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => Unauthorized,
        StatusCodes.Status403Forbidden => Forbidden,
        StatusCodes.Status404NotFound => NotFound,
        StatusCodes.Status409Conflict => Conflict,
        StatusCodes.Status429TooManyRequests => RateLimited,
        >= 400 and < 500 => Validation,
        _ => Internal,
    };
}
