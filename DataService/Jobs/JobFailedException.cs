using DataService.Domain;

namespace DataService.Jobs;

/// <summary>
/// Tells Hangfire how an attempt ended, after the rows have told the users. It holds the classified failure alone, no inner
/// exception: Octokit's print GitHub's whole answer, and the dashboard shows what an exception prints.
/// </summary>
internal sealed class JobFailedException(string slug, Failure failure, DateTime? nextAttemptAt)
    : Exception($"{failure.Kind.Code}{(failure.GithubStatus is { } status ? $" ({status})" : "")}: {failure.Text}")
{
    /// <summary>Of the failure.</summary>
    public string Code => failure.Kind.Code;

    /// <summary>UTC; null when no further attempt comes by itself.</summary>
    public DateTime? NextAttemptAt => nextAttemptAt;

    /// <summary>What the dashboard shows: no stack trace, which says nothing here, but the way to the cure.</summary>
    public override string ToString() => $"{Message}\nProject: {slug}\nCause and cure: docs/job-lifecycle.md, {failure.Kind.Code}";
}
