using DataService.Domain;
using Microsoft.AspNetCore.Antiforgery;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>What several pages show alike.</summary>
internal static class CreationView
{
    /// <summary>Characters of a person's reason.</summary>
    public const int MaxReason = 500;

    public static Markup State(RepoCreationState state) =>
        Markup.Of($"""<span class="ds-state ds-state-{CreationQuery.Word(state)}">{CreationQuery.Word(state)}</span>""");

    /// <summary>When it goes on by itself, or what for it lets time pass.</summary>
    public static Markup Next(DateTime? at, WaitReason? waitsFor)
    {
        var waits = waitsFor switch
        {
            WaitReason.Budget => "waits for its turn",
            WaitReason.Resume => "waits for resume",
            _ => null,
        };
        return at is { } time ? Markup.Of($"""{Markup.Ago(time)} <span class="ds-minor">{waits}</span>""") : Markup.Of($"{waits}");
    }

    /// <summary>GitHub's words, with its status before them where it gave one.</summary>
    public static Markup GitHubText(int? status, string? text) => (status, text) switch
    {
        (_, null or "") => default,
        (null, _) => Markup.Foreign(text),
        _ => Markup.Of($"""<span class="ds-minor">{status.Value}</span> {Markup.Foreign(text)}"""),
    };

    /// <summary>What each form carries, so that no other site can have it sent.</summary>
    public static Markup Antiforgery(HttpContext http)
    {
        var tokens = http.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(http);
        return Markup.Of($"""<input type="hidden" name="{tokens.FormFieldName}" value="{tokens.RequestToken}">""");
    }

    public static Markup Alert(string? text) => text is null ? default : Markup.Of($"""<div class="alert alert-danger" role="alert">{text}</div>""");

    /// <param name="text">A person's reason, as it came.</param>
    /// <param name="isRequired">Whether there must be one.</param>
    /// <param name="reason">Trimmed; null where it is empty.</param>
    /// <returns>What is wrong with it, for people; null where it is fine.</returns>
    public static string? RefuseReason(string text, bool isRequired, out string? reason)
    {
        reason = string.IsNullOrWhiteSpace(text) ? null : text.Trim();
        return reason switch
        {
            null => isRequired ? "Give the reason: others read it in the audit." : null,
            { Length: > MaxReason } => $"The reason may have at most {MaxReason} characters.",
            _ when reason.Any(char.IsControl) => "The reason must not contain control characters.",
            _ => null,
        };
    }

    /// <summary>Such as <c>/hangfire/repositories/acme-shop</c>.</summary>
    /// <param name="http">Of any page.</param>
    /// <param name="path">Below the dashboard's own.</param>
    public static string Address(HttpContext http, string path) => $"{DashboardBase(http)}{path}";

    public static string ProjectAddress(HttpContext http, string slug) => Address(http, $"{RepositoriesPage.Path}/{Uri.EscapeDataString(slug)}");

    public static string JobAddress(HttpContext http, string jobId) => Address(http, $"/jobs/details/{Uri.EscapeDataString(jobId)}");

    /// <summary>Hangfire moves its own part of the path into the base.</summary>
    private static string DashboardBase(HttpContext http) =>
        http.Request.PathBase is var pathBase && pathBase.Value?.EndsWith(DashboardSetup.Path, StringComparison.OrdinalIgnoreCase) is true
            ? pathBase.Value
            : pathBase.Add(DashboardSetup.Path).Value!;
}
