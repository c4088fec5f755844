using DataService.Domain;

namespace DataService.Tests.Domain;

public sealed class ProjectTests
{
    private static readonly DateTime Now = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
    private static readonly DateTime Later = Now.AddHours(1);
    private static readonly Failure Refused = new(FailureKind.GitHubForbidden, 403, "No.");

    private static readonly (ProjectStatus From, ProjectStatus To)[] AllowedSteps =
    [
        (ProjectStatus.Review, ProjectStatus.Active),
        (ProjectStatus.Active, ProjectStatus.Complete),
        (ProjectStatus.Active, ProjectStatus.Review),
        (ProjectStatus.Complete, ProjectStatus.Active),
    ];

    public static TheoryData<string, string, bool> Steps()
    {
        var steps = new TheoryData<string, string, bool>();
        foreach (var from in Enum.GetValues<ProjectStatus>())
        {
            foreach (var to in Enum.GetValues<ProjectStatus>())
                steps.Add(from.ToString(), to.ToString(), AllowedSteps.Contains((from, to)));
        }

        return steps;
    }

    [Fact]
    public void A_new_project_is_being_interviewed_and_has_neither_approval_nor_repository()
    {
        var project = Project.Create("Acme Shop", "acme-shop", Now);

        Assert.Equal(("Acme Shop", "acme-shop", Now), (project.Name, project.Slug, project.CreatedAt));
        Assert.Equal(ProjectStatus.Interviewing, project.Status);
        Assert.Null(project.ApprovedAt);
        Assert.Null(project.GithubRepo);
        Assert.Null(project.RepoCreation);
        Assert.NotEqual(Guid.Empty, project.Id);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void The_status_takes_the_four_steps_and_no_other(string from, string to, bool allowed)
    {
        var project = At(Enum.Parse<ProjectStatus>(from));
        var target = Enum.Parse<ProjectStatus>(to);

        if (allowed)
        {
            project.ChangeStatus(target);
            Assert.Equal(target, project.Status);
        }
        else
        {
            Assert.Throws<InvalidTransitionException>(() => project.ChangeStatus(target));
            Assert.Equal(from, project.Status.ToString());
        }
    }

    [Theory]
    [InlineData(nameof(ProjectStatus.Interviewing))]
    [InlineData(nameof(ProjectStatus.Review))]
    public void A_project_that_is_not_under_way_is_approved_into_review(string from)
    {
        var project = At(Enum.Parse<ProjectStatus>(from));

        project.Approve(Later);

        Assert.Equal(ProjectStatus.Review, project.Status);
        Assert.NotNull(project.ApprovedAt);
    }

    [Theory]
    [InlineData(nameof(ProjectStatus.Active))]
    [InlineData(nameof(ProjectStatus.Complete))]
    public void A_project_that_is_under_way_is_not_approved_again(string from)
    {
        var project = At(Enum.Parse<ProjectStatus>(from));

        Assert.Throws<InvalidTransitionException>(() => project.Approve(Later));

        Assert.Equal(from, project.Status.ToString());
        Assert.Equal(Now, project.ApprovedAt);
    }

    [Fact]
    public void Approving_again_keeps_the_time_of_the_first_approval()
    {
        var project = At(ProjectStatus.Review);

        project.Approve(Later);

        Assert.Equal(Now, project.ApprovedAt);
    }

    [Fact]
    public void A_status_that_is_worked_on_still_counts_as_approved_when_it_goes_back_to_review()
    {
        var project = At(ProjectStatus.Active);

        project.ChangeStatus(ProjectStatus.Review);

        Assert.Equal(Now, project.ApprovedAt);
    }

    [Fact]
    public void The_row_of_the_creation_is_made_once()
    {
        var project = At(ProjectStatus.Review);

        var first = project.TrackRepoCreation(Now);

        Assert.Same(first, project.TrackRepoCreation(Later));
        Assert.Same(first, project.RepoCreation);
        Assert.Equal((project.Id, Now), (first.ProjectId, first.UpdatedAt));
    }

    [Theory]
    [InlineData(nameof(RepoCreationState.Queued), nameof(RepoCreationState.Skipped))]
    [InlineData(nameof(RepoCreationState.Retrying), nameof(RepoCreationState.Skipped))]
    [InlineData(nameof(RepoCreationState.Failed), nameof(RepoCreationState.Skipped))]
    [InlineData(nameof(RepoCreationState.Creating), nameof(RepoCreationState.Creating))]
    [InlineData(nameof(RepoCreationState.Created), nameof(RepoCreationState.Created))]
    public void The_choice_of_a_repository_settles_a_creation_that_waits_or_failed(string before, string after)
    {
        var project = WithCreation(Enum.Parse<RepoCreationState>(before));

        project.ChooseRepository("someone/else", Later);

        Assert.Equal("someone/else", project.GithubRepo);
        Assert.Equal(after, project.RepoCreation!.State.ToString());
    }

    [Fact]
    public void Choosing_a_repository_before_any_creation_makes_no_row()
    {
        var project = At(ProjectStatus.Interviewing);

        project.ChooseRepository("someone/else", Later);

        Assert.Null(project.RepoCreation);
    }

    [Fact]
    public void Choosing_none_takes_the_repository_away_and_leaves_the_creation_as_it_is()
    {
        var project = WithCreation(RepoCreationState.Failed);
        project.ChooseRepository("someone/else", Now);
        project.RepoCreation!.Fail(Refused, Now);

        project.ChooseRepository(null, Later);

        Assert.Null(project.GithubRepo);
        Assert.Equal(RepoCreationState.Failed, project.RepoCreation.State);
    }

    [Fact]
    public void A_created_repository_is_linked_where_there_is_none()
    {
        var project = WithCreation(RepoCreationState.Creating);

        Assert.True(project.LinkRepository("org/acme", 7, Later));

        Assert.Equal(("org/acme", 7), (project.GithubRepo, project.GithubRepoId));
        Assert.Equal((RepoCreationState.Created, Later), (project.RepoCreation!.State, project.RepoCreation.UpdatedAt));
    }

    [Fact]
    public void Linking_the_same_repository_again_is_a_success()
    {
        var project = WithCreation(RepoCreationState.Creating);
        project.ChooseRepository("org/acme", Now);

        Assert.True(project.LinkRepository("org/acme", 7, Later));

        Assert.Equal(RepoCreationState.Created, project.RepoCreation!.State);
    }

    [Fact]
    public void The_choice_of_the_admin_stays_when_the_job_comes_later()
    {
        var project = WithCreation(RepoCreationState.Creating);
        project.ChooseRepository("someone/else", Now);

        Assert.False(project.LinkRepository("org/acme", 7, Later));

        Assert.Equal("someone/else", project.GithubRepo);
        Assert.Equal(RepoCreationState.Skipped, project.RepoCreation!.State);
    }

    [Fact]
    public void Another_choice_forgets_the_number_of_the_repository_before()
    {
        var project = WithCreation(RepoCreationState.Creating);
        project.LinkRepository("org/acme", 7, Now);

        project.ChooseRepository("org/acme", Later);
        Assert.Equal(7, project.GithubRepoId);
        project.ChooseRepository("someone/else", Later);

        Assert.Null(project.GithubRepoId);
    }

    [Fact]
    public void A_linked_repository_is_followed_to_its_new_name()
    {
        var project = WithCreation(RepoCreationState.Creating);
        project.LinkRepository("org/acme", 7, Now);

        project.FollowRepository(7, "org/acme", "org/acme-shop");

        Assert.Equal(("org/acme-shop", 7), (project.GithubRepo, project.GithubRepoId));
    }

    [Theory]
    [InlineData(7, "org/other")]
    [InlineData(8, "org/acme")]
    public void Another_repository_than_the_linked_one_is_not_followed(long id, string knownAs)
    {
        var project = WithCreation(RepoCreationState.Creating);
        project.LinkRepository("org/acme", 7, Now);

        Assert.Throws<InvalidTransitionException>(() => project.FollowRepository(id, knownAs, "org/new"));
        Assert.Equal("org/acme", project.GithubRepo);
    }

    private static Project At(ProjectStatus status)
    {
        var project = Project.Create("Acme Shop", "acme-shop", Now);
        ProjectStatus[] path = status switch
        {
            ProjectStatus.Active => [ProjectStatus.Active],
            ProjectStatus.Complete => [ProjectStatus.Active, ProjectStatus.Complete],
            _ => [],
        };
        if (status is not ProjectStatus.Interviewing)
            project.Approve(Now);
        foreach (var step in path)
            project.ChangeStatus(step);
        Assert.Equal(status, project.Status);
        return project;
    }

    private static Project WithCreation(RepoCreationState state)
    {
        var project = At(ProjectStatus.Review);
        RepoCreationTests.Bring(project.TrackRepoCreation(Now), state);
        return project;
    }
}
