namespace DataService.Jobs.Requeue;

/// <summary>Why a creation that matches is left as it is.</summary>
internal static class SkipReason
{
    public const string HasRepository = "has a repository";
    public const string NotApproved = "not approved";
    public const string JobIsAtIt = "a job is at it";
    public const string BeingChanged = "is being changed by another request";
    public const string IsCreated = "is created";
    public const string IsSettled = "was settled by the choice of a repository";
}

/// <summary>How a batch was written.</summary>
internal enum RequeueEngineKind
{
    /// <summary>Many jobs with one statement.</summary>
    SetBased,

    /// <summary>One by one through Hangfire's own client, because Hangfire's tables are not the ones that are known.</summary>
    PublicApi,
}

/// <param name="ProjectId">Whose creation it is.</param>
/// <param name="JobId">Hangfire's.</param>
internal sealed record RequeuedCreation(Guid ProjectId, string JobId);

/// <summary>What one batch did. Everything that matches is one of three: requeued now, skipped, or left for the next batch.</summary>
/// <param name="Requeued">In the order in which they run.</param>
/// <param name="Skipped">How many match and were not requeued, nor will be by the next batch, by <see cref="SkipReason"/>.</param>
/// <param name="Remaining">How many the next batch may requeue. A dry run leaves all of them.</param>
/// <param name="Until">What was changed then or later does not match; UTC. The batches of one run share it.</param>
/// <param name="Engine">Which way it went.</param>
internal sealed record RequeueBatch(
    IReadOnlyList<RequeuedCreation> Requeued, IReadOnlyDictionary<string, int> Skipped, int Remaining, DateTime Until, RequeueEngineKind Engine)
{
    public int Matched => Requeued.Count + Skipped.Values.Sum() + Remaining;
}
