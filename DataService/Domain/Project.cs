namespace DataService.Domain;

/// <summary>A client's project: interviewed, specified, approved, then worked on in a GitHub repository.</summary>
internal sealed class Project
{
    public const int MaxNameLength = 100;

    private Project(Guid id, string name, string slug, DateTime createdAt)
    {
        Id = id;
        Name = name;
        Slug = slug;
        CreatedAt = createdAt;
    }

    public Guid Id { get; private set; }
    public string Name { get; private set; }

    /// <summary>The identity in URLs, see <see cref="Domain.Slug"/>. It never changes.</summary>
    public string Slug { get; private set; }

    public ProjectStatus Status { get; private set; }

    /// <summary>Full name, <c>owner/name</c>: chosen by the admin or created by the job; null until then.</summary>
    public string? GithubRepo { get; private set; }

    /// <summary>GitHub's number of the linked repository, which outlives its name; null where it is not known.</summary>
    public long? GithubRepoId { get; private set; }

    /// <summary>When the admin approved the spec for the first time, in UTC.</summary>
    public DateTime? ApprovedAt { get; private set; }

    /// <summary>When the tasks were last compared with their issues on GitHub, or a comparison was begun; UTC.</summary>
    public DateTime? IssuesSyncedAt { get; private set; }

    public DateTime CreatedAt { get; private set; }
    public RepoCreation? RepoCreation { get; private set; }

    /// <param name="name">What people call the project.</param>
    /// <param name="slug">From <see cref="Slug.From"/>.</param>
    /// <param name="now">UTC.</param>
    public static Project Create(string name, string slug, DateTime now) => new(Guid.CreateVersion7(), name, slug, now);

    /// <summary>Approves the spec. Approving again is fine and keeps the first approval's time.</summary>
    /// <exception cref="InvalidTransitionException">Work has started already.</exception>
    public void Approve(DateTime now)
    {
        if (Status is not (ProjectStatus.Interviewing or ProjectStatus.Review))
            throw new InvalidTransitionException($"A project that is {Words(Status)} can no longer be approved.");
        Status = ProjectStatus.Review;
        ApprovedAt ??= now;
    }

    /// <exception cref="InvalidTransitionException">The step is not one of review ⇄ active ⇄ complete.</exception>
    public void ChangeStatus(ProjectStatus target)
    {
        var allowed = (Status, target) is
            (ProjectStatus.Review, ProjectStatus.Active) or (ProjectStatus.Active, ProjectStatus.Complete) or
            (ProjectStatus.Active, ProjectStatus.Review) or (ProjectStatus.Complete, ProjectStatus.Active);
        if (!allowed)
            throw new InvalidTransitionException($"A project that is {Words(Status)} cannot become {Words(target)}.");
        Status = target;
    }

    /// <summary>The admin's own choice of a repository, or null to have none. A creation that waits or failed is settled by it.</summary>
    public void ChooseRepository(string? fullName, DateTime now)
    {
        if (GithubRepo != fullName)
            GithubRepoId = null;
        GithubRepo = fullName;
        if (fullName is not null)
            RepoCreation?.SkipUnlessRunning(now);
    }

    /// <summary>Links the repository that the job created.</summary>
    /// <param name="fullName"><c>owner/name</c> as GitHub spells it.</param>
    /// <param name="repositoryId">GitHub's number of it.</param>
    /// <param name="now">UTC.</param>
    /// <param name="adopted">Whether an earlier attempt had made it.</param>
    /// <returns>False where the admin chose one meanwhile: theirs stays.</returns>
    public bool LinkRepository(string fullName, long repositoryId, DateTime now, bool adopted = false)
    {
        var creation = TrackRepoCreation(now);
        if (GithubRepo is not null && GithubRepo != fullName)
        {
            creation.Skip(now, $"{fullName} was created, and is not linked: {GithubRepo} was chosen by hand meanwhile.");
            return false;
        }

        GithubRepo = fullName;
        GithubRepoId = repositoryId;
        creation.Succeed(now, fullName, adopted);
        return true;
    }

    /// <summary>The linked repository, known by its number, bears another name now; or is seen for the first time under the one it has.</summary>
    /// <exception cref="InvalidTransitionException">Another repository is linked meanwhile.</exception>
    public void FollowRepository(long repositoryId, string knownAs, string fullName)
    {
        if (GithubRepo != knownAs || (GithubRepoId is { } id && id != repositoryId))
            throw new InvalidTransitionException($"The project is linked to {GithubRepo ?? "nothing"} now.");
        (GithubRepo, GithubRepoId) = (fullName, repositoryId);
    }

    /// <summary>The creation's row, made on first use.</summary>
    public RepoCreation TrackRepoCreation(DateTime now) => RepoCreation ??= new RepoCreation(Id, now);

    private static string Words(ProjectStatus status) => status switch
    {
        ProjectStatus.Interviewing => "interviewing",
        ProjectStatus.Review => "in review",
        ProjectStatus.Active => "active",
        ProjectStatus.Complete => "complete",
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, null),
    };
}
