using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;

namespace GitHubSimulator.Api;

/// <summary>Pages of a list: per_page (30, at most 100), page, and the Link header with absolute addresses.</summary>
internal static class Paging
{
    public static GitHubAnswer Answer<T>(ApiCall call, IEnumerable<T> items, Func<T, object> body)
    {
        var all = items.ToArray();
        var perPage = Math.Min(Number(call, "per_page", 30), 100);
        var page = Number(call, "page", 1);
        var last = Math.Max(1, (all.Length + perPage - 1) / perPage);

        List<string> links = [];
        if (page > 1)
            links.Add(Link(call, Math.Min(page - 1, last), "prev"));
        if (page < last)
            links.AddRange([Link(call, page + 1, "next"), Link(call, last, "last")]);
        if (page > 1)
            links.Add(Link(call, 1, "first"));

        var shown = all.Skip((int)Math.Min((page - 1L) * perPage, all.Length)).Take(perPage).Select(body);
        return GitHubAnswer.Json(200, shown.ToArray()).With("Link", links is [] ? null : string.Join(", ", links));
    }

    private static int Number(ApiCall call, string name, int otherwise) =>
        int.TryParse(call.Query[name], NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : otherwise;

    private static string Link(ApiCall call, int page, string relation)
    {
        var query = call.Query.Where(pair => pair.Key != "page").ToDictionary(pair => pair.Key, pair => (string?)pair.Value.ToString());
        query["page"] = page.ToString(CultureInfo.InvariantCulture);
        return $"<{QueryHelpers.AddQueryString(call.Url, query)}>; rel=\"{relation}\"";
    }
}
