using System.Text.Json;
using DataService.Data;
using DataService.Domain;
using DataService.Tests.Support;
using GitHubSimulator.Repositories;

namespace DataService.Tests.GitHubSync;

/// <summary>A project with tasks, and its repository on the simulated GitHub.</summary>
public abstract class GitHubSyncTest(PostgresCluster cluster) : ServiceTest(cluster)
{
    private protected SimulatedRepository Repository =>
        Service.GitHub.Repositories.Find(RunningService.Organization, "work") ?? throw new InvalidOperationException("The repository is not arranged.");

    private protected IReadOnlyList<SimulatedIssue> Issues => Service.GitHub.Repositories.Issues(Repository.Id);

    /// <summary>Creates a project with so many tasks, linked to a repository; returns its slug.</summary>
    private protected async Task<string> ArrangeAsync(int tasks)
    {
        Assert.NotNull(Service.GitHub.Repositories.Create(RunningService.Organization, "work", isPrivate: true, description: null));
        var slug = await Service.CreateProjectAsync("Work");
        await ChooseAsync(slug, $"{RunningService.Organization}/work");
        await AddTasksAsync(slug, tasks);
        return slug;
    }

    private protected async Task AddTasksAsync(string slug, int tasks)
    {
        var projectId = (await Service.GetProjectAsync(slug)).GetProperty("id").GetGuid();
        await using var scope = Service.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<DataServiceDbContext>();
        for (var i = 0; i < tasks; i++)
            db.Add(ProjectTask.Create(projectId, $"Task {i}", i % 2 is 0 ? null : $"Text of task {i}", i, DateTime.UtcNow));
        await db.SaveChangesAsync(Cancelled);
    }

    private protected async Task ChooseAsync(string slug, string? repository) =>
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/github-repo", new { githubRepo = repository }, Cancelled)).ReadAsync(HttpStatusCode.OK);

    private protected Task<HttpResponseMessage> PushAsync(string slug) => Service.Http.PostAsync($"/github/projects/{slug}/push", null, Cancelled);

    private protected Task<HttpResponseMessage> SyncAsync(string slug) => Service.Anonymous.PostAsync($"/github/projects/{slug}/sync", null, Cancelled);

    private protected void Close(int number) => Assert.NotNull(Service.GitHub.Repositories.UpdateIssue(Repository.Id, number, issue => issue with { ClosedAt = DateTimeOffset.UtcNow }));

    private protected Task ForgetLastRoundAsync() => Service.QueryAsync<object>("UPDATE projects SET issues_synced_at = issues_synced_at - interval '31 seconds'");

    private protected static int?[] Numbers(JsonElement tasks) =>
        [.. tasks.EnumerateArray().Select(task => task.GetProperty("githubIssueNumber") is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : (int?)null)];

    private protected static string[] Statuses(JsonElement tasks) => [.. tasks.EnumerateArray().Select(task => task.GetProperty("status").GetString()!)];
}
