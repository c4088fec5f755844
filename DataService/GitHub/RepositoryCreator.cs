using Octokit;

namespace DataService.GitHub;

/// <summary>Creates a project's private repository, and knows one of ours when it sees it.</summary>
internal sealed class RepositoryCreator(IConnection connection, GitHubOptions options, ContentPace pace, TimeProvider time)
{
    /// <summary>The last of the waits for a repository to show; before it come 1, 2 and 4 s.</summary>
    private static readonly TimeSpan LongestWaitToShow = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Sends one <c>POST /orgs/{org}/repos</c>. When the name is taken, looks at what stands there: a lost answer leaves a
    /// repository of ours behind, and suffixing on sight would make a second one.
    /// </summary>
    /// <param name="name">The exact name.</param>
    /// <param name="projectId">Goes into the description, as the mark of ownership.</param>
    /// <param name="projectName">For people, in the description.</param>
    /// <param name="mayExist">Whether an earlier attempt may have created it already.</param>
    /// <param name="cancellationToken">Ends the call under way. Whether the repository exists is unknown then.</param>
    /// <returns>The repository, or null when the name belongs to someone else.</returns>
    /// <exception cref="ApiException">GitHub refused; see <see cref="GitHubFailure.Classify"/>.</exception>
    /// <exception cref="UnusableAnswerException">Success, but with no repository in it. Whether there is one is unknown.</exception>
    /// <exception cref="HttpRequestException">No answer. Whether the repository exists is unknown.</exception>
    /// <exception cref="TimeoutException">No complete answer in time. Whether the repository exists is unknown.</exception>
    public async Task<CreatedRepository?> CreateAsync(
        string name, Guid projectId, string projectName, bool mayExist, CancellationToken cancellationToken)
    {
        var request = new NewRepository(name) { Private = true, AutoInit = false, Description = Describe(projectId, projectName) };
        try
        {
            var answer = await pace.TakeTurnAsync(
                () => connection.Post<Repository?>(
                    new Uri($"orgs/{options.Organization}/repos", UriKind.Relative), request, null, null, (IDictionary<string, string>?)null, cancellationToken),
                cancellationToken);
            return answer.Body is { FullName: { Length: > 0 } fullName }
                ? new CreatedRepository(fullName, Adopted: false)
                : throw new UnusableAnswerException($"GitHub answered {(int)answer.HttpResponse.StatusCode} to the creation, without a repository in it.");
        }
        catch (ApiValidationException refused) when (GitHubFailure.IsNameTaken(refused))
        {
            return await FindOursAsync(name, projectId, mayExist, cancellationToken);
        }
    }

    /// <summary>The repository's description. It carries the project's id: GitHub keeps no other trace of who asked for a repository.</summary>
    internal static string Describe(Guid projectId, string projectName) =>
        $"{string.Concat(projectName.Where(letter => !char.IsControl(letter)))} {Marker(projectId)}";

    private static string Marker(Guid projectId) => $"[dataservice:{projectId:D}]";

    private async Task<CreatedRepository?> FindOursAsync(string name, Guid projectId, bool mayExist, CancellationToken cancellationToken)
    {
        // GitHub shows a new repository only after some seconds.
        var patience = mayExist ? LongestWaitToShow : TimeSpan.Zero;
        for (var wait = TimeSpan.FromSeconds(1); ; wait *= 2)
        {
            try
            {
                return await LookAsync(name, projectId, cancellationToken);
            }
            catch (NotFoundException) when (wait > patience)
            {
                // It exists, and the token cannot see it: nothing that this token made.
                return null;
            }
            catch (NotFoundException)
            {
                await Task.Delay(wait, time, cancellationToken);
            }
        }
    }

    private async Task<CreatedRepository?> LookAsync(string name, Guid projectId, CancellationToken cancellationToken)
    {
        var answer = await connection.Get<Repository?>(
            new Uri($"repos/{options.Organization}/{name}", UriKind.Relative), null, null, cancellationToken);
        var found = answer.Body ?? throw new UnusableAnswerException("GitHub says that the name is taken, and shows nothing under it.");
        return IsOurs(found, name, projectId) ? new CreatedRepository(found.FullName, Adopted: true) : null;
    }

    /// <summary>A renamed repository answers under its old name too, so the name in the answer counts, not the one asked for.</summary>
    private bool IsOurs(Repository found, string name, Guid projectId) =>
        string.Equals(found.Owner?.Login, options.Organization, StringComparison.OrdinalIgnoreCase)
        && string.Equals(found.Name, name, StringComparison.OrdinalIgnoreCase)
        && found.Private
        && found.Description?.Contains(Marker(projectId), StringComparison.Ordinal) is true;
}
