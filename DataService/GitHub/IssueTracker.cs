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
        return await options.CallAsync<IReadOnlyList<TrackedIssue>>(
            async () =>
            {
                var issues = await connection.GetAllAsync<Issue>($"repos/{repository}/issues?state=all&sort=created&direction=asc", cancellationToken);
                return [.. issues.Where(issue => issue.PullRequest is null).Select(Track)];
            }, time, cancellationToken);
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
            return Track(answer.Body);
        }, time, CancellationToken.None);

    /// <summary>The issue's text: the description, and the marker that GitHub does not show.</summary>
    internal static string Describe(ProjectTask task) => $"{task.Description}\n\n<!-- dataservice:task:{task.Id:D} -->".TrimStart();

    /// <exception cref="UnusableAnswerException">What GitHub has sent is no issue.</exception>
    private static TrackedIssue Track(Issue? issue)
    {
        if (issue is not { Number: > 0, HtmlUrl: { } url } || url.Any(char.IsControl) || !issue.State.TryParse(out var state))
            throw new UnusableAnswerException("GitHub answered with an issue that is none.");
        var marker = Marker().Match(issue.Body ?? "");
        return new TrackedIssue(issue.Number, url, state is ItemState.Closed, marker.Success && Guid.TryParse(marker.Groups["id"].ValueSpan, out var id) ? id : null);
    }

    [GeneratedRegex("<!-- dataservice:task:(?<id>[0-9a-fA-F-]{36}) -->", RegexOptions.RightToLeft)]
    private static partial Regex Marker();
}
