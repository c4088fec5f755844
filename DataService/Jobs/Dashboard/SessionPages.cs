using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Jobs.Dashboard;

/// <summary>What the pages around signing in and out share.</summary>
internal static partial class SessionPages
{
    public const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        + "frame-ancestors 'none'";

    private static readonly string ReturnUrl = CookieAuthenticationDefaults.ReturnUrlParameter;

    /// <summary>A file that the build embeds.</summary>
    public static string Asset(string name)
    {
        using var stream = typeof(SessionPages).Assembly.GetManifestResourceStream(AssetName(name))
            ?? throw new InvalidOperationException($"The build left out {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    public static string AssetName(string name) => $"DataService.Jobs.Dashboard.{name}";

    /// <summary>
    /// Puts the values, encoded, where the template names them as <c>{{name}}</c>; <c>{{base}}</c> is the dashboard's own path.
    /// </summary>
    public static ContentHttpResult Page(HttpContext context, string template, int status, params (string Name, string Value)[] values)
    {
        var html = Placeholder().Replace(template, match => HtmlEncoder.Default.Encode(match.Groups["name"].Value is "base"
            ? context.Request.PathBase + DashboardSetup.Path
            : Array.Find(values, value => value.Name == match.Groups["name"].Value).Value));
        return TypedResults.Content(html, "text/html; charset=utf-8", statusCode: status);
    }

    /// <summary>Where to go after signing in; only ever inside the dashboard.</summary>
    public static string? LocalReturnUrl(HttpContext context) =>
        context.Request.Query[ReturnUrl].ToString() is { Length: > 0 } url
        && Uri.TryCreate(new Uri("http://local"), url, out var target) && target.Authority == "local"
        && PathString.FromUriComponent(target).StartsWithSegments(context.Request.PathBase + DashboardSetup.Path, StringComparison.Ordinal)
            ? target.PathAndQuery
            : null;

    /// <summary>Hands <see cref="LocalReturnUrl"/> on to the next step.</summary>
    public static string Query(HttpContext context) =>
        LocalReturnUrl(context) is { } returnUrl ? QueryString.Create(ReturnUrl, returnUrl).Value ?? "" : "";

    [GeneratedRegex(@"\{\{(?<name>\w+)\}\}")]
    private static partial Regex Placeholder();
}
