namespace DataService.Domain;

/// <summary>Why GitHub, or we, could not do what was asked. Codes, causes and cures: docs/job-lifecycle.md.</summary>
internal enum FailureKind
{
    GitHubUnauthorized,
    GitHubForbidden,
    GitHubRepoNameTaken,
    GitHubNotFound,
    GitHubValidation,
    GitHubRateLimited,
    GitHubUnavailable,
    GitHubTokenMissing,
    Internal,
}

internal static class FailureKinds
{
    extension(FailureKind kind)
    {
        /// <summary>The code of the REST contract.</summary>
        public string Code => ToCode(kind);

        /// <summary>Whether trying again later, with nothing changed by a person, can help.</summary>
        public bool IsTransient => kind is FailureKind.GitHubRateLimited or FailureKind.GitHubUnavailable or FailureKind.Internal;
    }

    public static string ToCode(FailureKind kind) => kind switch
    {
        FailureKind.GitHubUnauthorized => "GITHUB_UNAUTHORIZED",
        FailureKind.GitHubForbidden => "GITHUB_FORBIDDEN",
        FailureKind.GitHubRepoNameTaken => "GITHUB_REPO_NAME_TAKEN",
        FailureKind.GitHubNotFound => "GITHUB_NOT_FOUND",
        FailureKind.GitHubValidation => "GITHUB_VALIDATION",
        FailureKind.GitHubRateLimited => "GITHUB_RATE_LIMITED",
        FailureKind.GitHubUnavailable => "GITHUB_UNAVAILABLE",
        FailureKind.GitHubTokenMissing => "GITHUB_TOKEN_MISSING",
        FailureKind.Internal => "INTERNAL",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <exception cref="ArgumentOutOfRangeException">No kind has this code.</exception>
    public static FailureKind FromCode(string code) => Enum.GetValues<FailureKind>().Cast<FailureKind?>().FirstOrDefault(kind => kind!.Value.Code == code)
        ?? throw new ArgumentOutOfRangeException(nameof(code), code, "No such failure code.");
}
