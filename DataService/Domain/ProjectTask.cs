namespace DataService.Domain;

/// <summary>A piece of a project's work, at most one GitHub issue each.</summary>
internal sealed class ProjectTask
{
    public const int MaxTitleLength = 200;
    public const int MaxStatusLength = 50;

    /// <summary>GitHub's 65,536 characters for the text of an issue, less ample room for what we add to it.</summary>
    public const int MaxDescriptionLength = 60_000;

    /// <summary>Not finished; what an open issue means.</summary>
    public const string Pending = "pending";

    /// <summary>Finished; what a closed issue means.</summary>
    public const string Done = "done";

    private ProjectTask(Guid id, Guid projectId, string title, string? description, int sortOrder, DateTime createdAt)
    {
        Id = id;
        ProjectId = projectId;
        Title = title;
        Description = description;
        SortOrder = sortOrder;
        CreatedAt = createdAt;
    }

    public Guid Id { get; private set; }
    public Guid ProjectId { get; private set; }
    public string Title { get; private set; }
    public string? Description { get; private set; }

    /// <summary>A word of the frontend's choosing; new tasks are <see cref="Pending"/>, and a sync writes <see cref="Pending"/> or <see cref="Done"/>.</summary>
    public string Status { get; private set; } = Pending;

    public int? GithubIssueNumber { get; private set; }
    public string? GithubIssueUrl { get; private set; }

    /// <summary>Ascending; equal ones stand in the order of their creation.</summary>
    public int SortOrder { get; private set; }

    public DateTime CreatedAt { get; private set; }

    public static ProjectTask Create(Guid projectId, string title, string? description, int sortOrder, DateTime now) =>
        new(Guid.CreateVersion7(), projectId, title, description, sortOrder, now);

    public void Rename(string title) => Title = title;

    /// <param name="description">Null clears it.</param>
    public void Describe(string? description) => Description = description;

    public void ChangeStatus(string status) => Status = status;

    /// <summary>Links the issue that stands for the task on GitHub. The first link stays.</summary>
    public void LinkIssue(int number, string url)
    {
        if (GithubIssueNumber is not null)
            return;
        GithubIssueNumber = number;
        GithubIssueUrl = url;
    }
}
