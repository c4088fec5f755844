using DataService.Domain;
using Octokit;

namespace DataService.GitHub;

/// <param name="Id">GitHub's number, which outlives the name.</param>
/// <param name="FullName"><c>owner/name</c>.</param>
/// <param name="DefaultBranch">GitHub's name of it; an empty repository has one too.</param>
/// <param name="Private">Whether only members see it.</param>
/// <param name="ProjectId">The project that its description names; null where it names none.</param>
internal sealed record GitHubRepository(long Id, string FullName, string DefaultBranch, bool Private, Guid? ProjectId);

/// <summary>Every repository that the token can see.</summary>
internal sealed class RepositoryCatalog(IConnection connection, GitHubOptions options, TimeProvider time)
{
    /// <summary>Short enough to go unnoticed: a repository that was made just now is there when the page is opened.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Flight? _flight;

    /// <summary>The repositories by name. Many callers at once share one round to GitHub, and each round revalidates what it knows.</summary>
    /// <exception cref="FailureException">GitHub refused, or could not be reached.</exception>
    public Task<IReadOnlyList<GitHubRepository>> ListAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_flight is not { IsUsable: true })
                _flight = new Flight(FetchAsync, time);
            return _flight.Repositories.WaitAsync(cancellationToken);
        }
    }

    /// <summary>A private repository of the organisation that bears the project's mark; null where the token sees none.</summary>
    /// <exception cref="FailureException">GitHub refused, or could not be reached.</exception>
    public async Task<CreatedRepository?> FindOwnAsync(Guid projectId, CancellationToken cancellationToken)
    {
        var own = (await ListAsync(cancellationToken)).FirstOrDefault(repository => repository.ProjectId == projectId && repository.Private && IsInOrganization(repository.FullName));
        return own is null ? null : new CreatedRepository(own.FullName, own.Id, Adopted: true);
    }

    /// <summary>Whether the repository belongs to the organisation that owns new ones.</summary>
    public bool IsInOrganization(string fullName) => fullName.StartsWith(options.Organization + "/", StringComparison.OrdinalIgnoreCase);

    /// <summary>The repository of this number, under the name that it bears now; null where it is gone, or hidden from the token.</summary>
    /// <exception cref="FailureException">GitHub refused for another reason, or could not be reached.</exception>
    public Task<CreatedRepository?> FindAsync(long id, CancellationToken cancellationToken) => FindAsync($"repositories/{id}", cancellationToken);

    /// <summary>The repository that is, or was, called so, under the name that it bears now; null where it is gone, or hidden from the token.</summary>
    /// <inheritdoc cref="FindAsync(long, CancellationToken)" path="/exception"/>
    public Task<CreatedRepository?> FindByNameAsync(string fullName, CancellationToken cancellationToken) => FindAsync($"repos/{fullName}", cancellationToken);

    private async Task<CreatedRepository?> FindAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await options.CallAsync(() => connection.Get<RepositoryAnswer?>(new Uri(path, UriKind.Relative), null, null, cancellationToken), time, cancellationToken);
            return answer.Body is { Id: > 0, FullName.Length: > 0 } found ? new CreatedRepository(found.FullName, found.Id, Adopted: true) : null;
        }
        catch (FailureException exception) when (exception.Failure.Kind is FailureKind.GitHubNotFound)
        {
            return null;
        }
    }

    /// <summary>The service itself has changed what there is: the next caller sees it.</summary>
    public void Invalidate()
    {
        lock (_lock)
            _flight = null;
    }

    /// <summary>Under no caller's token: the others that share it would lose their answer.</summary>
    private async Task<IReadOnlyList<GitHubRepository>> FetchAsync()
    {
        // In the order of creation the pages before the last one stay as they are, and cost nothing when they are asked for again.
        var all = await options.CallAsync(
            async () =>
            {
                var answers = await connection.GetAllAsync<RepositoryAnswer>("user/repos?sort=created&direction=asc", CancellationToken.None);
                return answers.TrueForAll(answer => answer is { Id: > 0, FullName.Length: > 0 })
                    ? answers
                    : throw new UnusableAnswerException("GitHub answered with a repository that is none.");
            }, time, CancellationToken.None);
        return
        [
            .. all.Select(r => new GitHubRepository(r.Id, r.FullName, r.DefaultBranch, r.Private, ProjectMark.Find(r.Description)))
                .OrderBy(r => r.FullName, StringComparer.OrdinalIgnoreCase),
        ];
    }

    /// <summary>One round to GitHub, and its result for as long as it counts as fresh.</summary>
    private sealed class Flight
    {
        private readonly TimeProvider _time;
        private long _landed;

        public Flight(Func<Task<IReadOnlyList<GitHubRepository>>> fetch, TimeProvider time)
        {
            _time = time;
            Repositories = FlyAsync(fetch);
        }

        public Task<IReadOnlyList<GitHubRepository>> Repositories { get; }

        public bool IsUsable => !Repositories.IsCompleted || (Repositories.IsCompletedSuccessfully && _time.GetElapsedTime(_landed) < Lifetime);

        private async Task<IReadOnlyList<GitHubRepository>> FlyAsync(Func<Task<IReadOnlyList<GitHubRepository>>> fetch)
        {
            var repositories = await fetch();
            _landed = _time.GetTimestamp();
            return repositories;
        }
    }
}
