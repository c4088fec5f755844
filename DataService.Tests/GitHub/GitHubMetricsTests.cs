using DataService.GitHub;

namespace DataService.Tests.GitHub;

public sealed class GitHubMetricsTests
{
    [Theory]
    [InlineData("POST", "orgs/acme/repos", "create_repository")]
    [InlineData("GET", "repos/acme/shop", "get_repository")]
    [InlineData("GET", "repositories/42", "get_repository")]
    [InlineData("GET", "user/repos", "list_repositories")]
    [InlineData("POST", "repos/acme/shop/issues", "create_issue")]
    [InlineData("GET", "repos/acme/shop/issues", "list_issues")]
    [InlineData("GET", "repositories/42/issues", "list_issues")]
    [InlineData("DELETE", "repos/acme/shop", "other")]
    [InlineData("GET", "", "other")]
    public void A_call_has_a_name_without_what_it_is_about(string method, string path, string operation) =>
        Assert.Equal(operation, GitHubMetrics.OperationOf(new HttpMethod(method), path));

    [Theory]
    [InlineData("2026-08-17 21:08:28 UTC", "2026-08-17T21:08:28Z")]
    [InlineData("2026-08-17 21:08:28 -0400", "2026-08-18T01:08:28Z")]
    public void The_tokens_expiry_is_read_as_GitHub_writes_it(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, null), GitHubMetrics.Expiry(text));

    [Theory]
    [InlineData("")]
    [InlineData("never")]
    public void What_is_no_time_is_no_expiry(string text) => Assert.Null(GitHubMetrics.Expiry(text));
}
