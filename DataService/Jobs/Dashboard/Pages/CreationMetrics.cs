using System.Globalization;
using Hangfire;
using Hangfire.Dashboard;

namespace DataService.Jobs.Dashboard.Pages;

/// <summary>The figures on the dashboard's home page, and beside our entry in its menu. Hangfire keeps one list for the whole process.</summary>
internal static class CreationMetrics
{
    private const string Repositories = DashboardSetup.Path + RepositoriesPage.Path;

    /// <summary>Absent where nothing has failed, as Hangfire's own are.</summary>
    public static readonly DashboardMetric FailedOrNull = new("creations:failed-or-null", "Failed creations", page =>
        Figures(page).Failed is > 0 and var failed ? new Metric(failed) { Style = MetricStyle.Danger, Highlighted = true } : null);

    private static readonly DashboardMetric Waiting = new("creations:waiting", "Creations waiting", page =>
        Figures(page).Waiting is var waiting ? new Metric(waiting) { Style = waiting > 0 ? MetricStyle.Info : MetricStyle.Default } : null)
    {
        Url = $"{Repositories}?{CreationQuery.State}=queued,creating,retrying",
    };

    private static readonly DashboardMetric Failed = new("creations:failed", "Creations failed", page =>
        Figures(page).Failed is var failed ? new Metric(failed) { Style = failed > 0 ? MetricStyle.Danger : MetricStyle.Default } : null)
    {
        Url = $"{Repositories}?{CreationQuery.State}=failed",
    };

    private static readonly DashboardMetric CreatedToday = new("creations:created-today", "Created today (UTC)", page =>
        Figures(page).CreatedToday is var created ? new Metric(created) { Style = created > 0 ? MetricStyle.Success : MetricStyle.Default } : null)
    {
        Url = $"{Repositories}?{CreationQuery.State}=created",
    };

    private static readonly DashboardMetric Budget = new("creations:budget", "Budget left", page =>
    {
        var cache = Cache(page);
        var figures = cache.Read();
        if (figures.LimitedUntil is { } until)
            return new Metric($"0 until {Clock(until)}") { Style = MetricStyle.Warning };
        return cache.Left(figures) is { } left
            ? new Metric($"{left:N0} of {cache.Limit}") { Style = left is 0 ? MetricStyle.Warning : MetricStyle.Default }
            : new Metric("no limit");
    });

    /// <summary>Absent while creation goes on.</summary>
    private static readonly DashboardMetric Pause = new("creations:paused", "Creation of repositories", page =>
        Figures(page) is { PausedSince: { } since, PauseReason: var reason }
            ? new Metric($"Paused since {since.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)} {Clock(since)}: {reason}") { Style = MetricStyle.Danger }
            : null)
    {
        Url = Repositories,
    };

    public static void Register()
    {
        GlobalConfiguration.Configuration.UseDashboardMetrics(Pause, Waiting, Failed, CreatedToday, Budget);
        DashboardMetrics.AddMetric(FailedOrNull);
    }

    private static CreationFigures Figures(RazorPage page) => Cache(page).Read();

    private static CreationFigureCache Cache(RazorPage page) => page.Context.GetHttpContext().RequestServices.GetRequiredService<CreationFigureCache>();

    private static string Clock(DateTime at) => at.ToString("HH:mm'Z'", CultureInfo.InvariantCulture);
}
