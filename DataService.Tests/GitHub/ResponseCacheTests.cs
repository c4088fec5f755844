using DataService.GitHub;
using Octokit;
using Octokit.Caching;
using Octokit.Internal;

namespace DataService.Tests.GitHub;

public sealed class ResponseCacheTests
{
    private static readonly Request Asked = new() { BaseAddress = new Uri("https://api.github.com/"), Endpoint = new Uri("user/repos?page=2", UriKind.Relative) };

    [Theory]
    [InlineData("")]
    [InlineData("""[{"full_name":"org/größe","description":"写 🚀\n"}]""")]
    public async Task An_answer_comes_back_as_it_was_kept(string body)
    {
        using var cache = new ResponseCache();

        await cache.SetAsync(Asked, Answer(body, etag: "\"tag\""));

        var kept = await cache.GetAsync(Asked);
        Assert.Equal(body, kept!.Body);
        Assert.Equal("\"tag\"", kept.ApiInfo.Etag);
        Assert.Equal("value", kept.Headers["name"]);
        Assert.Equal(HttpStatusCode.OK, kept.StatusCode);
        Assert.Equal("application/json", kept.ContentType);
    }

    [Fact]
    public async Task Answers_without_a_tag_and_other_addresses_are_not_kept()
    {
        using var cache = new ResponseCache();
        await cache.SetAsync(Asked, Answer("[]", etag: ""));
        Assert.Null(await cache.GetAsync(Asked));

        await cache.SetAsync(Asked, Answer("[]", etag: "\"tag\""));

        Assert.Null(await cache.GetAsync(new Request { BaseAddress = Asked.BaseAddress, Endpoint = new Uri("user/repos?page=3", UriKind.Relative) }));
    }

    [Fact]
    public async Task The_pages_of_ten_thousand_repositories_are_kept_at_once()
    {
        using var cache = new ResponseCache();
        var pages = Enumerable.Range(0, 100).Select(page => new Request { BaseAddress = Asked.BaseAddress, Endpoint = new Uri($"user/repos?page={page}", UriKind.Relative) }).ToList();
        // As long as GitHub's own: each repository has some forty addresses that begin with its name.
        string Page(int page) => string.Concat(Enumerable.Range(0, 100).SelectMany(i => Enumerable.Repeat($"\"url\":\"https://api.github.com/repos/organization/project-{page * 100 + i}/something\",", 80)));

        for (var page = 0; page < pages.Count; page++)
            await cache.SetAsync(pages[page], Answer(Page(page), etag: $"\"{page}\""));

        Assert.True(Page(0).Length > 500_000);
        for (var page = 0; page < pages.Count; page++)
            Assert.Equal(Page(page), (await cache.GetAsync(pages[page]))?.Body);
    }

    private static CachedResponse.V1 Answer(string body, string etag) => new(
        body, new Dictionary<string, string> { ["name"] = "value" },
        new ApiInfo(new Dictionary<string, Uri>(), [], [], etag, new RateLimit(new Dictionary<string, string>())), HttpStatusCode.OK, "application/json");
}
