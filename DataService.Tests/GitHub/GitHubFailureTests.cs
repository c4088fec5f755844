using System.Globalization;
using System.Runtime.Serialization;
using DataService.Domain;
using DataService.GitHub;
using Octokit;
using Octokit.Internal;

namespace DataService.Tests.GitHub;

/// <summary>One row for each line of what GitHub answers and of what Octokit makes of it.</summary>
public sealed class GitHubFailureTests
{
    private static readonly DateTime Now = new(2026, 11, 22, 12, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData(401, """{"message":"Bad credentials"}""", "GITHUB_UNAUTHORIZED", "Bad credentials")]
    [InlineData(403, """{"message":"Resource not accessible by personal access token"}""", "GITHUB_FORBIDDEN", "Resource not accessible by personal access token")]
    [InlineData(403, """{"message":"You need admin access to the organization before adding a repository to it."}""", "GITHUB_FORBIDDEN", "You need admin access to the organization before adding a repository to it.")]
    [InlineData(403, """{"message":"Resource protected by organization SAML enforcement."}""", "GITHUB_FORBIDDEN", "Resource protected by organization SAML enforcement.")]
    [InlineData(403, """{"message":"The 'acme' organization forbids access via a fine-grained personal access tokens if the token's lifetime is greater than 30 days."}""", "GITHUB_FORBIDDEN", "The 'acme' organization forbids access via a fine-grained personal access tokens if the token's lifetime is greater than 30 days.")]
    [InlineData(404, """{"message":"Not Found"}""", "GITHUB_NOT_FOUND", "Not Found")]
    [InlineData(410, """{"message":"This issue was deleted"}""", "GITHUB_NOT_FOUND", "This issue was deleted")]
    [InlineData(400, """{"message":"Problems parsing JSON"}""", "GITHUB_VALIDATION", "Problems parsing JSON")]
    [InlineData(422, """{"message":"Repository creation failed.","errors":[{"resource":"Repository","code":"custom","field":"name","message":"name already exists on this account"}]}""", "GITHUB_REPO_NAME_TAKEN", "Repository creation failed. name already exists on this account")]
    [InlineData(422, """{"message":"Repository creation failed.","errors":[{"resource":"Repository","code":"custom","field":"name","message":"name is too long (maximum is 100 characters)"}]}""", "GITHUB_VALIDATION", "Repository creation failed. name is too long (maximum is 100 characters)")]
    [InlineData(422, """{"message":"Validation Failed","errors":[{"resource":"Repository","code":"missing_field","field":"name"}]}""", "GITHUB_VALIDATION", "Validation Failed Repository name missing_field")]
    [InlineData(422, """{"message":"Visibility can't be private. Please upgrade your subscription to create a new private repository."}""", "GITHUB_VALIDATION", "Visibility can't be private. Please upgrade your subscription to create a new private repository.")]
    [InlineData(451, """{"message":"Repository access blocked"}""", "GITHUB_VALIDATION", "Repository access blocked")]
    public void A_refusal_that_only_a_person_can_cure_is_permanent_and_bears_GitHubs_text(int status, string body, string code, string text)
    {
        var failure = GitHubFailure.Classify(Thrown(status, body), Now);

        Assert.Equal((code, status, text), (failure.Kind.Code, failure.GithubStatus, failure.Text));
        Assert.False(failure.Kind.IsTransient);
    }

    [Theory]
    [InlineData("bad\\u0000thing", "bad thing")]
    [InlineData("two\\r\\nlines", "two  lines")]
    public void What_a_row_or_a_line_cannot_hold_is_left_out_of_GitHubs_text(string sent, string text) =>
        Assert.Equal(text, GitHubFailure.Classify(Thrown(422, $$"""{"message":"{{sent}}"}"""), Now).Text);

    [Fact]
    public void A_long_text_is_cut_between_two_characters()
    {
        var failure = GitHubFailure.Classify(Thrown(422, $$"""{"message":"{{new string('a', 999)}}\ud83d\ude00 and more"}"""), Now);

        Assert.Equal(new string('a', 999) + "…", failure.Text);
    }

    [Fact]
    public void Only_a_refusal_for_want_of_a_permission_names_it()
    {
        (string, string)[] headers = [("X-Accepted-GitHub-Permissions", "issues=write"), ("Retry-After", "60")];

        var limited = GitHubFailure.Classify(Thrown(403, """{"message":"You have exceeded a secondary rate limit."}""", headers), Now);
        var refused = GitHubFailure.Classify(Thrown(403, """{"message":"No."}""", headers[..1]), Now);

        Assert.Equal((FailureKind.GitHubRateLimited, "You have exceeded a secondary rate limit."), (limited.Kind, limited.Text));
        Assert.Equal((FailureKind.GitHubForbidden, "No. (needs issues=write)"), (refused.Kind, refused.Text));
    }

    /// <summary>The reason may be that the name is taken, by a creation of ours whose answer was lost.</summary>
    [Theory]
    [InlineData("<html>odd</html>")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{"message":"Repository creation fai""")]
    public void A_422_that_nobody_can_read_is_an_unknown_outcome(string body)
    {
        var thrown = Thrown(422, body);

        var failure = GitHubFailure.Classify(thrown, Now);

        Assert.Equal((FailureKind.GitHubUnavailable, 422, "GitHub answered 422 without a reason."), (failure.Kind, failure.GithubStatus, failure.Text));
        Assert.True(GitHubFailure.MayHaveWorked(thrown));
    }

    [Theory]
    [InlineData(401, false)]
    [InlineData(403, false)]
    [InlineData(404, false)]
    [InlineData(408, true)]
    [InlineData(500, true)]
    [InlineData(502, true)]
    public void Whether_a_call_may_have_worked_is_told_by_its_status(int status, bool may) =>
        Assert.Equal(may, GitHubFailure.MayHaveWorked(Thrown(status, """{"message":"Some text"}""")));

    [Theory]
    [InlineData(HttpRequestError.NameResolutionError, false)]
    [InlineData(HttpRequestError.ConnectionError, false)]
    [InlineData(HttpRequestError.SecureConnectionError, false)]
    [InlineData(HttpRequestError.ResponseEnded, true)]
    [InlineData(HttpRequestError.Unknown, true)]
    public void A_call_that_never_left_has_not_worked(HttpRequestError error, bool may) =>
        Assert.Equal(may, GitHubFailure.MayHaveWorked(new HttpRequestException(error)));

    [Theory]
    [InlineData(403, "API rate limit exceeded for user ID 1.")]
    [InlineData(403, "You have exceeded a secondary rate limit and have been temporarily blocked from content creation.")]
    [InlineData(403, "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again.")]
    [InlineData(403, "Maximum number of login attempts exceeded.")]
    [InlineData(429, "API rate limit exceeded for user ID 1.")]
    [InlineData(429, "You have exceeded a secondary rate limit.")]
    public void A_limit_is_transient_by_403_and_by_429(int status, string message)
    {
        var failure = GitHubFailure.Classify(Thrown(status, $$"""{"message":"{{message}}"}"""), Now);

        Assert.Equal((FailureKind.GitHubRateLimited, status, message), (failure.Kind, failure.GithubStatus, failure.Text));
        Assert.True(failure.Kind.IsTransient);
        Assert.Null(failure.RetryAt);
    }

    [Theory]
    [InlineData(403, "API rate limit exceeded for user ID 1.")]
    [InlineData(403, "You have exceeded a secondary rate limit.")]
    [InlineData(403, "You have triggered an abuse detection mechanism.")]
    [InlineData(403, "Some new wording of a limit.")]
    [InlineData(429, "API rate limit exceeded for user ID 1.")]
    public void A_limit_with_Retry_After_states_its_end(int status, string message)
    {
        var failure = GitHubFailure.Classify(Thrown(status, $$"""{"message":"{{message}}"}""", ("retry-after", "37")), Now);

        Assert.Equal((FailureKind.GitHubRateLimited, Now.AddSeconds(37)), (failure.Kind, failure.RetryAt));
    }

    [Theory]
    [InlineData(403)]
    [InlineData(429)]
    public void A_used_up_hour_states_its_reset(int status)
    {
        var reset = new DateTimeOffset(Now.AddMinutes(20)).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

        var failure = GitHubFailure.Classify(
            Thrown(status, """{"message":"API rate limit exceeded for user ID 1."}""", ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", reset)), Now);

        Assert.Equal(Now.AddMinutes(20).AddSeconds(1), failure.RetryAt);
    }

    [Fact]
    public void Retry_After_counts_before_the_reset() => Assert.Equal(Now.AddSeconds(5), GitHubFailure.Classify(
        Thrown(403, """{"message":"API rate limit exceeded"}""", ("Retry-After", "5"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "4000000000")), Now).RetryAt);

    [Theory]
    [InlineData("Sun, 22 Nov 2026 12:00:30 GMT", 30)]
    [InlineData("999999999", 24 * 60 * 60)]
    [InlineData("Sun, 22 Nov 2020 12:00:30 GMT", 0)]
    public void Retry_After_may_be_a_date_and_is_bounded(string header, int seconds) => Assert.Equal(
        Now.AddSeconds(seconds), GitHubFailure.Classify(Thrown(429, "{}", ("Retry-After", header)), Now).RetryAt);

    [Theory]
    [InlineData("soon")]
    [InlineData("-5")]
    [InlineData("")]
    public void An_unreadable_Retry_After_counts_as_none(string header) =>
        Assert.Null(GitHubFailure.Classify(Thrown(429, "{}", ("Retry-After", header)), Now).RetryAt);

    [Theory]
    [InlineData(408)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public void A_server_that_fails_is_transient_and_shows_no_page_of_HTML(int status)
    {
        var failure = GitHubFailure.Classify(Thrown(status, "<html><title>Unicorn!</title></html>"), Now);

        Assert.Equal((FailureKind.GitHubUnavailable, status, $"GitHub answered {status} without a reason."), (failure.Kind, failure.GithubStatus, failure.Text));
        Assert.True(failure.Kind.IsTransient);
    }

    [Fact]
    public void A_server_that_states_when_it_is_back_is_believed() =>
        Assert.Equal(Now.AddSeconds(90), GitHubFailure.Classify(Thrown(503, "{}", ("Retry-After", "90")), Now).RetryAt);

    public static TheoryData<Exception> Unusable =>
    [
        new SerializationException("Invalid JSON string"),
        new UnusableAnswerException("nothing in it"),
        new HttpRequestException("An error occurred", new IOException("Connection reset by peer")),
        new HttpIOException(HttpRequestError.ResponseEnded),
        new TimeoutException("GitHub did not answer within 20 s."),
        new TaskCanceledException(),
    ];

    [Theory]
    [MemberData(nameof(Unusable))]
    public void No_answer_or_an_unusable_one_is_transient(Exception exception)
    {
        var failure = GitHubFailure.Classify(exception, Now);

        Assert.Equal((FailureKind.GitHubUnavailable, true, null), (failure.Kind, failure.Kind.IsTransient, failure.GithubStatus));
        Assert.NotEmpty(failure.Text);
    }

    [Fact]
    public void What_GitHub_has_nothing_to_do_with_is_ours_and_says_nothing_of_the_inside()
    {
        var failure = GitHubFailure.Classify(new InvalidOperationException("secret detail"), Now);

        Assert.Equal(FailureKind.Internal, failure.Kind);
        Assert.DoesNotContain("secret detail", failure.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_permission_is_named() => Assert.Equal(
        "Resource not accessible by personal access token (needs administration=write)",
        GitHubFailure.Classify(Thrown(403, """{"message":"Resource not accessible by personal access token"}""", ("X-Accepted-GitHub-Permissions", "administration=write")), Now).Text);

    [Fact]
    public void A_long_text_is_cut() =>
        Assert.InRange(GitHubFailure.Classify(Thrown(422, $$"""{"message":"{{new string('x', 5_000)}}"}"""), Now).Text.Length, 900, 1_100);

    /// <summary>The exception that Octokit itself throws for the answer, taken from its own connection.</summary>
    private static ApiException Thrown(int status, string body, params (string Name, string Value)[] headers)
    {
        var connection = new Connection(new ProductHeaderValue("tests"), new Uri("https://github.test/"),
            new InMemoryCredentialStore(Credentials.Anonymous), new HttpClientAdapter(() => new Canned(status, body, headers)), new SimpleJsonSerializer());
        return Assert.ThrowsAny<ApiException>(() => connection.Get<Repository>(new Uri("x", UriKind.Relative), null).GetAwaiter().GetResult());
    }

    private sealed class Canned(int status, string body, (string Name, string Value)[] headers) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, null, "application/json"), RequestMessage = request };
            foreach (var (name, value) in headers)
                response.Headers.TryAddWithoutValidation(name, value);
            return Task.FromResult(response);
        }
    }
}
