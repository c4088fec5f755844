using DataService.Domain;
using DataService.GitHub;
using DataService.Tests.Support;
using GitHubSimulator.Faults;

namespace DataService.Tests.GitHub;

public sealed class GitHubHandlerTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Fact]
    public async Task An_answer_without_an_end_is_given_up_before_it_fills_the_memory()
    {
        Service.Break(new FaultRule { Kind = FaultKind.EndlessBody });
        var creator = Service.Services.GetRequiredService<RepositoryCreator>();

        var thrown = await Assert.ThrowsAsync<HttpRequestException>(() => creator.LookAsync("acme-shop", Guid.CreateVersion7(), Cancelled));

        Assert.Equal(new Failure(FailureKind.GitHubUnavailable, null, "GitHub's answer is larger than 64 MB."), GitHubFailure.Classify(thrown, DateTime.UtcNow));
    }
}
