using System.Text.Json;
using DataService.Tests.Support;
using GitHubSimulator;
using GitHubSimulator.Requests;

namespace DataService.Tests.Reliability;

/// <summary>What GitHub has seen of creations.</summary>
internal static class Creations
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    extension(SimulatorState gitHub)
    {
        /// <summary>Puts a stranger's repository where a project's would go.</summary>
        public void AddStranger(string name) => Assert.NotNull(
            gitHub.Repositories.Create(RunningService.Organization, name, isPrivate: true, "not ours", stranger: true));

        /// <summary>The creations of repositories whose names fit, in the order in which they came.</summary>
        /// <param name="pattern">A name, or the beginning of one and a star.</param>
        public IReadOnlyList<ReceivedRequest> CreationsOf(string pattern) =>
            [.. gitHub.Requests.All.Where(request => IsCreation(request) && Glob.Matches(pattern, NameIn(request)))];

        /// <summary>Waits until such a creation has come in.</summary>
        public Task<ReceivedRequest> ReceivesCreationAsync(string pattern) => gitHub.ReceivesAsync(
            request => IsCreation(request) && Glob.Matches(pattern, NameIn(request)));

        /// <summary>Waits until somebody looks at the repository.</summary>
        public Task<ReceivedRequest> ReceivesLookAsync(string name) => gitHub.ReceivesAsync(
            request => request is { Method: "GET", Path: var path } && path.EndsWith($"/{name}", StringComparison.Ordinal));

        /// <summary>
        /// The project has the one repository that bears its mark, and GitHub has no other that is not a stranger's. Under the slug, or
        /// where a stranger has that one, under the slug and a suffix.
        /// </summary>
        /// <returns>The repository's name.</returns>
        public string HasExactlyOneRepositoryOf(JsonElement project)
        {
            var slug = project.GetProperty("slug").GetString()!;
            var ours = Assert.Single(gitHub.Repositories.All, repository => !repository.Stranger);
            Assert.Equal("created", project.GetProperty("repoCreation").GetProperty("state").GetString());
            Assert.Equal(ours.FullName, project.GetProperty("githubRepo").GetString());
            Assert.EndsWith($"[dataservice:{project.GetProperty("id").GetString()}]", ours.Description, StringComparison.Ordinal);
            Assert.True(ours.Private);
            if (gitHub.Repositories.All.SingleOrDefault(repository => repository.Stranger) is not { } stranger)
            {
                Assert.Equal(slug, ours.Name);
                return ours.Name;
            }

            Assert.Equal((slug, "not ours", stranger.CreatedAt), (stranger.Name, stranger.Description, stranger.UpdatedAt));
            Assert.Matches($"^{slug}-[0-9a-z]{{4}}$", ours.Name);
            Assert.All(gitHub.CreationsOf($"{slug}-*"), post => Assert.Equal(ours.Name, NameIn(post)));
            return ours.Name;
        }

        private Task<ReceivedRequest> ReceivesAsync(Func<ReceivedRequest, bool> fits) =>
            gitHub.Requests.WhenReceived(fits, TestContext.Current.CancellationToken).WaitAsync(LongestWait);
    }

    private static bool IsCreation(ReceivedRequest request) => request.Method == "POST" && Glob.MatchesPath("/orgs/*/repos", request.Path);

    private static string NameIn(ReceivedRequest post) => JsonDocument.Parse(post.Body).RootElement.GetProperty("name").GetString()!;
}
