namespace GitHubSimulator.Api;

internal static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder api)
    {
        api.MapGet("/user", User);
        api.MapGet("/orgs/{org}", Org);
        api.MapGet("/rate_limit", RateLimit).WithMetadata(new FreeOfCharge());
    }

    private static GitHubAnswer User(ApiCall call) => GitHubAnswer.Json(200, new
    {
        Login = AccountBody.UserLogin,
        Id = AccountBody.UserId,
        NodeId = AccountBody.NodeId("U", AccountBody.UserId),
        AvatarUrl = $"{call.WebRoot}/avatars/{AccountBody.UserId}",
        GravatarId = "",
        Url = $"{call.Root}/users/{AccountBody.UserLogin}",
        HtmlUrl = $"{call.WebRoot}/{AccountBody.UserLogin}",
        ReposUrl = $"{call.Root}/users/{AccountBody.UserLogin}/repos",
        Type = "User",
        SiteAdmin = false,
        Name = "Simulator user",
        Company = (string?)null,
        Blog = "",
        Location = (string?)null,
        Email = (string?)null,
        Hireable = (bool?)null,
        Bio = (string?)null,
        PublicRepos = 0,
        PublicGists = 0,
        Followers = 0,
        Following = 0,
        CreatedAt = DateTimeOffset.UnixEpoch.ToText(),
        UpdatedAt = DateTimeOffset.UnixEpoch.ToText(),
    });

    private static GitHubAnswer Org(ApiCall call, string org)
    {
        var login = call.State.Options.Org;
        if (!org.Equals(login, StringComparison.OrdinalIgnoreCase))
            return Answers.NotFound();

        var url = $"{call.Root}/orgs/{login}";
        var repositories = call.State.Repositories.All;
        return GitHubAnswer.Json(200, new
        {
            Login = login,
            Id = AccountBody.OrgId,
            NodeId = AccountBody.NodeId("O", AccountBody.OrgId),
            Url = url,
            ReposUrl = $"{url}/repos",
            EventsUrl = $"{url}/events",
            HooksUrl = $"{url}/hooks",
            IssuesUrl = $"{url}/issues",
            MembersUrl = $"{url}/members{{/member}}",
            PublicMembersUrl = $"{url}/public_members{{/member}}",
            AvatarUrl = $"{call.WebRoot}/avatars/{AccountBody.OrgId}",
            Description = (string?)null,
            Name = login,
            IsVerified = false,
            HasOrganizationProjects = true,
            HasRepositoryProjects = true,
            PublicRepos = repositories.Count(repository => !repository.Private),
            PublicGists = 0,
            Followers = 0,
            Following = 0,
            HtmlUrl = $"{call.WebRoot}/{login}",
            Type = "Organization",
            TotalPrivateRepos = repositories.Count(repository => repository.Private),
            OwnedPrivateRepos = repositories.Count(repository => repository.Private),
            CreatedAt = DateTimeOffset.UnixEpoch.ToText(),
            UpdatedAt = DateTimeOffset.UnixEpoch.ToText(),
            ArchivedAt = (string?)null,
        });
    }

    private static GitHubAnswer RateLimit(ApiCall call)
    {
        var usage = call.State.PrimaryLimit.Usage;
        var core = new { usage.Limit, usage.Used, usage.Remaining, Reset = usage.Reset.ToUnixTimeSeconds() };
        var search = new { Limit = 30, Used = 0, Remaining = 30, Reset = call.State.Time.GetUtcNow().AddMinutes(1).ToUnixTimeSeconds() };
        return GitHubAnswer.Json(200, new { Resources = new { Core = core, Search = search }, Rate = core });
    }
}
