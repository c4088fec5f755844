using GitHubSimulator.Repositories;

namespace GitHubSimulator.Api;

/// <summary>GitHub's issue.</summary>
internal static class IssueBody
{
    public static string Url(ApiCall call, SimulatedRepository repository, int number) =>
        $"{RepositoryBody.Url(call, repository)}/issues/{number}";

    public static object Of(ApiCall call, SimulatedRepository repository, SimulatedIssue issue)
    {
        var url = Url(call, repository, issue.Number);
        return new
        {
            Url = url,
            RepositoryUrl = RepositoryBody.Url(call, repository),
            LabelsUrl = $"{url}/labels{{/name}}",
            CommentsUrl = $"{url}/comments",
            EventsUrl = $"{url}/events",
            HtmlUrl = $"{RepositoryBody.HtmlUrl(call, repository)}/issues/{issue.Number}",
            issue.Id,
            NodeId = AccountBody.NodeId("I", issue.Id),
            issue.Number,
            issue.Title,
            User = AccountBody.User(call),
            Labels = Array.Empty<object>(),
            State = issue.IsOpen ? "open" : "closed",
            issue.StateReason,
            Locked = false,
            ActiveLockReason = (string?)null,
            Assignee = (object?)null,
            Assignees = Array.Empty<object>(),
            Milestone = (object?)null,
            Comments = 0,
            CreatedAt = issue.CreatedAt.ToText(),
            UpdatedAt = issue.UpdatedAt.ToText(),
            ClosedAt = issue.ClosedAt?.ToText(),
            ClosedBy = issue.IsOpen ? null : AccountBody.User(call),
            AuthorAssociation = "MEMBER",
            issue.Body,
            Reactions = new Dictionary<string, object>
            {
                ["url"] = $"{url}/reactions",
                ["total_count"] = 0,
                ["+1"] = 0,
                ["-1"] = 0,
                ["laugh"] = 0,
                ["hooray"] = 0,
                ["confused"] = 0,
                ["heart"] = 0,
                ["rocket"] = 0,
                ["eyes"] = 0,
            },
            TimelineUrl = $"{url}/timeline",
            PerformedViaGithubApp = (object?)null,
        };
    }
}
