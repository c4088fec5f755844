using DataService.Domain;

namespace DataService.Tests.Domain;

public sealed class FailureKindTests
{
    /// <summary>As the REST contract lists them.</summary>
    private static readonly Dictionary<FailureKind, (string Code, bool Transient)> Contract = new()
    {
        [FailureKind.GitHubUnauthorized] = ("GITHUB_UNAUTHORIZED", false),
        [FailureKind.GitHubForbidden] = ("GITHUB_FORBIDDEN", false),
        [FailureKind.GitHubRepoNameTaken] = ("GITHUB_REPO_NAME_TAKEN", false),
        [FailureKind.GitHubNotFound] = ("GITHUB_NOT_FOUND", false),
        [FailureKind.GitHubValidation] = ("GITHUB_VALIDATION", false),
        [FailureKind.GitHubRateLimited] = ("GITHUB_RATE_LIMITED", true),
        [FailureKind.GitHubUnavailable] = ("GITHUB_UNAVAILABLE", true),
        [FailureKind.GitHubTokenMissing] = ("GITHUB_TOKEN_MISSING", false),
        [FailureKind.Internal] = ("INTERNAL", true),
    };

    public static TheoryData<string> Kinds() => [.. Enum.GetNames<FailureKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_kind_has_the_code_of_the_contract_and_comes_back_from_it(string name)
    {
        var kind = Enum.Parse<FailureKind>(name);

        Assert.Equal(Contract[kind].Code, kind.Code);
        Assert.Equal(kind, FailureKinds.FromCode(kind.Code));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_kind_is_retried_or_left_to_a_person(string name)
    {
        var kind = Enum.Parse<FailureKind>(name);

        Assert.Equal(Contract[kind].Transient, kind.IsTransient);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GITHUB_TEAPOT")]
    [InlineData("github_forbidden")]
    [InlineData("GitHubForbidden")]
    public void An_unknown_code_is_refused(string code) => Assert.Throws<ArgumentOutOfRangeException>(() => FailureKinds.FromCode(code));

    [Fact]
    public void A_number_that_is_no_kind_has_no_code() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => FailureKinds.ToCode((FailureKind)99));
}
