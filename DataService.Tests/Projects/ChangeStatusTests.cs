using System.Text;
using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Projects;

public sealed class ChangeStatusTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private static readonly string[] Statuses = ["interviewing", "review", "active", "complete"];

    private static readonly (string From, string To)[] AllowedSteps =
        [("review", "active"), ("active", "complete"), ("active", "review"), ("complete", "active")];

    [Fact]
    public async Task The_four_steps_are_allowed_and_every_other_answers_409()
    {
        foreach (var from in Statuses)
        {
            foreach (var to in Statuses)
            {
                var slug = await ProjectInAsync(from, $"{from} to {to}");

                var response = await ChangeAsync(slug, to);

                if (AllowedSteps.Contains((from, to)))
                    Assert.Equal(to, (await response.ReadAsync(HttpStatusCode.OK)).GetProperty("status").GetString());
                else
                    await response.ReadProblemAsync(HttpStatusCode.Conflict, "INVALID_STATE");
                Assert.Equal(AllowedSteps.Contains((from, to)) ? to : from, (await Service.GetProjectAsync(slug)).GetProperty("status").GetString());
            }
        }
    }

    [Fact]
    public async Task The_answer_is_the_project()
    {
        var slug = await ProjectInAsync("review", "Acme");

        var changed = await (await ChangeAsync(slug, "active")).ReadAsync(HttpStatusCode.OK);

        Assert.Equal((await Service.GetProjectAsync(slug)).EnumerateObject().Select(member => member.Name), changed.EnumerateObject().Select(member => member.Name));
        Assert.Equal((slug, "active"), (changed.GetProperty("slug").GetString(), changed.GetProperty("status").GetString()));
        Assert.Equal(JsonValueKind.Object, changed.GetProperty("repoCreation").ValueKind);
    }

    [Fact]
    public async Task An_unknown_status_answers_400_and_names_the_field()
    {
        var slug = await ProjectInAsync("review", "Acme");
        string[] bodies =
        [
            """{}""",
            """{ "status": null }""",
            """{ "status": "" }""",
            """{ "status": "done" }""",
            """{ "status": "1" }""",
            """{ "status": 1 }""",
            """{ "status": "active\u0000" }""",
            """{ "status": ["active"] }""",
        ];

        await Assert.AllAsync(bodies, async body =>
        {
            var response = await Service.Http.PutAsync($"/projects/{slug}/status", new StringContent(body, Encoding.UTF8, "application/json"), Cancelled);
            var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
            Assert.Equal(["status"], problem.GetProperty("errors").EnumerateObject().Select(error => error.Name));
        });

        Assert.Equal("review", (await Service.GetProjectAsync(slug)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task An_unknown_project_answers_404() =>
        await (await ChangeAsync("nobody", "active")).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");

    [Fact]
    public async Task One_of_many_that_make_the_same_step_at_once_succeeds()
    {
        var slug = await ProjectInAsync("review", "Rush");

        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ChangeAsync(slug, "active")));

        Assert.Single(responses, response => response.StatusCode is HttpStatusCode.OK);
        Assert.Equal(7, responses.Count(response => response.StatusCode is HttpStatusCode.Conflict));
    }

    private Task<HttpResponseMessage> ChangeAsync(string slug, string status) =>
        Service.Http.PutAsJsonAsync($"/projects/{slug}/status", new { status }, Cancelled);

    private async Task<string> ProjectInAsync(string status, string name)
    {
        var slug = await Service.CreateProjectAsync(name);
        if (status is not "interviewing")
            await Service.ApproveAsync(slug);
        foreach (var step in Statuses[2..].TakeWhile(step => Array.IndexOf(Statuses, step) <= Array.IndexOf(Statuses, status)))
            await (await ChangeAsync(slug, step)).ReadAsync(HttpStatusCode.OK);
        return slug;
    }
}
