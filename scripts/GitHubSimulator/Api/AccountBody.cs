namespace GitHubSimulator.Api;

/// <summary>GitHub's simple-user, for the token's user and for the org.</summary>
internal static class AccountBody
{
    public const string UserLogin = "simulator-user";
    public const long UserId = 1;
    public const long OrgId = 2;

    public static object User(ApiCall call) => Of(call, UserLogin, UserId, "User");

    public static object Org(ApiCall call) => Of(call, call.State.Options.Org, OrgId, "Organization");

    public static string NodeId(string kind, long id) => $"{kind}_kgDO{Convert.ToBase64String(BitConverter.GetBytes(id)).TrimEnd('=')}";

    private static object Of(ApiCall call, string login, long id, string type)
    {
        var url = $"{call.Root}/users/{login}";
        return new
        {
            Login = login,
            Id = id,
            NodeId = NodeId(type is "User" ? "U" : "O", id),
            AvatarUrl = $"{call.WebRoot}/avatars/{id}",
            GravatarId = "",
            Url = url,
            HtmlUrl = $"{call.WebRoot}/{login}",
            FollowersUrl = $"{url}/followers",
            FollowingUrl = $"{url}/following{{/other_user}}",
            GistsUrl = $"{url}/gists{{/gist_id}}",
            StarredUrl = $"{url}/starred{{/owner}}{{/repo}}",
            SubscriptionsUrl = $"{url}/subscriptions",
            OrganizationsUrl = $"{url}/orgs",
            ReposUrl = $"{url}/repos",
            EventsUrl = $"{url}/events{{/privacy}}",
            ReceivedEventsUrl = $"{url}/received_events",
            Type = type,
            UserViewType = "public",
            SiteAdmin = false,
        };
    }
}
