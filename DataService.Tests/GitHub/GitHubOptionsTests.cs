using DataService.GitHub;
using Microsoft.Extensions.Configuration;

namespace DataService.Tests.GitHub;

public sealed class GitHubOptionsTests
{
    [Theory]
    [InlineData(null, "https://github.com/")]
    [InlineData("https://api.github.com", "https://github.com/")]
    [InlineData("https://ghe.example.com/api/v3", "https://ghe.example.com/")]
    [InlineData("https://api.acme.ghe.com", "https://acme.ghe.com/")]
    [InlineData("http://127.0.0.1:9999/", "http://127.0.0.1:9999/")]
    public void The_address_of_GitHubs_pages_follows_from_that_of_its_API(string? api, string expected)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("GITHUB_API_URL", api)]).Build();

        Assert.Equal(expected, GitHubOptions.From(configuration).WebUrl.AbsoluteUri);
    }
}
