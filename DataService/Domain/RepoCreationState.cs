namespace DataService.Domain;

/// <summary>Where the creation of a project's repository stands; drawn in docs/job-lifecycle.md.</summary>
internal enum RepoCreationState
{
    /// <summary>A job waits for a worker.</summary>
    Queued,

    /// <summary>A worker is at it.</summary>
    Creating,

    /// <summary>The last attempt failed for a transient reason; the next one is scheduled.</summary>
    Retrying,

    /// <summary>No further attempt comes by itself.</summary>
    Failed,

    /// <summary>The repository exists and is linked.</summary>
    Created,

    /// <summary>The admin chose a repository; there was nothing to create.</summary>
    Skipped,
}
