using System.Net.Sockets;
using Octokit;

namespace DataService.GitHub;

/// <summary>Creates a project's private repository, and knows one of ours when it sees it.</summary>
internal sealed partial class RepositoryCreator(IConnection connection, GitHubOptions options, TimeProvider time, ILogger<RepositoryCreator> logger)
{
    /// <summary>The last of the waits for a repository to show; before it come 1, 2 and 4 s.</summary>
    private static readonly TimeSpan LongestWaitToShow = TimeSpan.FromSeconds(8);

    /// <summary>
    /// Sends one <c>POST /orgs/{org}/repos</c>. Where the name is taken, or nobody knows what became of the request, it looks at what
    /// stands there: a lost answer leaves a repository of ours behind, and suffixing on sight would make a second one.
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
        try
        {
            return await PostAsync(name, projectId, projectName, cancellationToken);
        }
        catch (ApiValidationException refused) when (GitHubFailure.IsNameTaken(refused))
        {
            return await FindOursAsync(name, projectId, mayExist, cancellationToken);
        }
        catch (Exception unknown) when (!cancellationToken.IsCancellationRequested && GitHubFailure.MayHaveWorked(unknown))
        {
            if (await GlimpseAsync(name, projectId, cancellationToken) is { Repository: { } created })
                return created;
            throw;
        }
    }

    /// <summary>Who stands under the name now.</summary>
    /// <inheritdoc cref="CreateAsync" path="/exception"/>
    public async Task<Sighting> LookAsync(string name, Guid projectId, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await connection.Get<RepositoryAnswer?>(
                new Uri($"repos/{options.Organization}/{name}", UriKind.Relative), null, null, cancellationToken);
            var found = answer.Body is { Id: > 0, FullName.Length: > 0 } body ? body : throw new UnusableAnswerException("GitHub answered a look at a repository without one.");
            return IsOurs(found, name, projectId)
                ? new Sighting(Occupant.Ours, new CreatedRepository(found.FullName, found.Id, Adopted: true))
                : new Sighting(IsNamed(found, name) ? Occupant.Stranger : Occupant.Nobody, null);
        }
        catch (NotFoundException)
        {
            return new Sighting(Occupant.Nobody, null);
        }
    }

    /// <summary>The repository's description. It carries the project's id: GitHub keeps no other trace of who asked for a repository.</summary>
    internal static string Describe(Guid projectId, string projectName) =>
        $"{string.Concat(projectName.Where(letter => !char.IsControl(letter)))} {ProjectMark.Of(projectId)}";

    private async Task<CreatedRepository> PostAsync(string name, Guid projectId, string projectName, CancellationToken cancellationToken)
    {
        var request = new NewRepository(name) { Private = true, AutoInit = false, Description = Describe(projectId, projectName) };
        var answer = await connection.Post<RepositoryAnswer?>(
            new Uri($"orgs/{options.Organization}/repos", UriKind.Relative), request, null, null, (IDictionary<string, string>?)null, cancellationToken);
        return answer.Body is { Id: > 0, FullName: { Length: > 0 } fullName } body
            ? new CreatedRepository(fullName, body.Id, Adopted: false)
            : throw new UnusableAnswerException($"GitHub answered {(int)answer.HttpResponse.StatusCode} to the creation, without a repository in it.");
    }

    private async Task<CreatedRepository?> FindOursAsync(string name, Guid projectId, bool mayExist, CancellationToken cancellationToken)
    {
        // GitHub shows a new repository only after some seconds, and says before that that its name is taken.
        for (var wait = TimeSpan.FromSeconds(1); ; wait *= 2)
        {
            if (await LookAsync(name, projectId, cancellationToken) is { Occupant: not Occupant.Nobody } found)
                return found.Repository;
            if (wait > LongestWaitToShow)
                break;
            await Task.Delay(wait, time, cancellationToken);
        }

        // It exists, and the token cannot see it: nothing that this token made, unless an attempt of ours has tried the name before.
        return mayExist
            ? throw new UnusableAnswerException("GitHub says that the name is taken, and shows nothing under it. An earlier attempt may have made it.")
            : null;
    }

    /// <summary>One look after an unknown outcome. What it cannot see is seen by the next attempt, which looks before it tries the name again.</summary>
    private async Task<Sighting?> GlimpseAsync(string name, Guid projectId, CancellationToken cancellationToken)
    {
        try
        {
            return await LookAsync(name, projectId, cancellationToken);
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException or TimeoutException or UnusableAnswerException
            or SocketException or IOException or System.Runtime.Serialization.SerializationException)
        {
            LogNotSeen(name, exception);
            return null;
        }
    }

    private bool IsOurs(RepositoryAnswer found, string name, Guid projectId) =>
        IsNamed(found, name) && found.Private && found.Description?.Contains(ProjectMark.Of(projectId), StringComparison.Ordinal) is true;

    /// <summary>A renamed repository answers under its old name too, so the name in the answer counts, not the one asked for.</summary>
    private bool IsNamed(RepositoryAnswer found, string name) =>
        string.Equals(found.Owner?.Login, options.Organization, StringComparison.OrdinalIgnoreCase)
        && string.Equals(found.Name, name, StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Whether {RepositoryName} was created is unknown, and a look at it failed")]
    private partial void LogNotSeen(string repositoryName, Exception exception);
}
