using System.Text.RegularExpressions;
using DataService.Domain;
using Octokit;

namespace DataService.GitHub;

/// <param name="Number">GitHub's number of it in its repository.</param>
/// <param name="Url">The page for people.</param>
/// <param name="IsClosed">Done or dropped.</param>
/// <param name="TaskId">The task that it stands for; null where its text bears no marker of ours.</param>
internal sealed record TrackedIssue(int Number, string Url, bool IsClosed, Guid? TaskId);

/// <summary>The issues of a repository, and the tasks that they stand for.</summary>
internal sealed partial class IssueTracker(IConnection connection, GitHubOptions options, TimeProvider time)
{
    /// <summary>All issues, open and closed, oldest first: the pages before the last change seldom.</summary>
    /// <param name="repository">Full name.</param>
    /// <param name="cancellationToken">Ends the call under way.</param>
    /// <exception cref="FailureException">GitHub refused, or could not be reached.</exception>
    public async Task<IReadOnlyList<TrackedIssue>> ListAsync(string repository, CancellationToken cancellationToken)
    {
        var issues = await options.CallAsync(
            () => connection.GetAllAsync<Issue>($"repos/{repository}/issues?state=all&sort=created&direction=asc", cancellationToken), time, cancellationToken);
        return [.. issues.Where(issue => issue.PullRequest is null).Select(Track)];
    }

    /// <summary>
    /// Writes the task's issue. The request is not cancelled: an issue whose number nobody hears of is the one thing to avoid.
    /// </summary>
    /// <exception cref="FailureException">GitHub refused, or could not be reached. Whether there is an issue may be unknown.</exception>
    public Task<TrackedIssue> CreateAsync(string repository, ProjectTask task) => options.CallAsync(
        async () =>
        {
            var answer = await connection.Post<Issue?>(
                new Uri($"repos/{repository}/issues", UriKind.Relative), new NewIssue(task.Title) { Body = Describe(task) },
                null, null, (IDictionary<string, string>?)null, CancellationToken.None);
            return answer.Body is { Number: > 0 } issue
                ? Track(issue)
                : throw new UnusableAnswerException("GitHub answered the creation of an issue without one.");
        }, time, CancellationToken.None);

    /// <summary>The issue's text: the description, and the marker that GitHub does not show.</summary>
    internal static string Describe(ProjectTask task) => $"{task.Description}\n\n<!-- dataservice:task:{task.Id:D} -->".TrimStart();

    private static TrackedIssue Track(Issue issue) => new(
        issue.Number, issue.HtmlUrl, issue.State.Value is ItemState.Closed,
        Marker().Match(issue.Body ?? "") is { Success: true } marker && Guid.TryParse(marker.Groups["id"].ValueSpan, out var id) ? id : null);

    [GeneratedRegex("<!-- dataservice:task:(?<id>[0-9a-fA-F-]{36}) -->", RegexOptions.RightToLeft)]
    private static partial Regex Marker();
}
