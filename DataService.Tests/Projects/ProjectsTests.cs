using System.Globalization;
using System.Text;
using System.Text.Json;
using DataService.Tests.Support;

namespace DataService.Tests.Projects;

public sealed class ProjectsTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    private static readonly string[] ProjectMembers = ["id", "name", "slug", "status", "githubRepo", "createdAt", "repoCreation"];

    private static readonly string[] CreationMembers =
        ["state", "jobId", "attempts", "errorCode", "githubStatus", "githubError", "nextAttemptAt", "waitsFor", "updatedAt"];

    [Fact]
    public async Task A_created_project_is_answered_whole_with_its_address()
    {
        var before = DateTime.UtcNow;

        var response = await Service.Http.PostAsJsonAsync("/projects", new { name = "Acme Shop" }, Cancelled);

        var project = await response.ReadAsync(HttpStatusCode.Created);
        Assert.Equal("/projects/acme-shop", response.Headers.Location?.OriginalString);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(ProjectMembers, project.EnumerateObject().Select(member => member.Name));
        Assert.True(Guid.TryParseExact(project.GetProperty("id").GetString(), "D", out _));
        Assert.Equal("Acme Shop", project.GetProperty("name").GetString());
        Assert.Equal("acme-shop", project.GetProperty("slug").GetString());
        Assert.Equal("interviewing", project.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, project.GetProperty("githubRepo").ValueKind);
        Assert.Equal(JsonValueKind.Null, project.GetProperty("repoCreation").ValueKind);
        Assert.InRange(Timestamp(project, "createdAt"), before.AddSeconds(-1), DateTime.UtcNow.AddSeconds(1));
    }

    [Fact]
    public async Task A_project_is_read_as_it_was_answered_when_created()
    {
        var response = await Service.Http.PostAsJsonAsync("/projects", new { name = "Acme Shop" }, Cancelled);
        var created = await response.ReadAsync(HttpStatusCode.Created);

        var read = await Service.GetProjectAsync("acme-shop");

        Assert.Equal(created.GetRawText(), read.GetRawText());
    }

    [Fact]
    public async Task The_address_of_a_created_project_leads_to_it()
    {
        var response = await Service.Http.PostAsJsonAsync("/projects", new { name = "Acme Shop" }, Cancelled);

        var read = await (await Service.Http.GetAsync(response.Headers.Location, Cancelled)).ReadAsync(HttpStatusCode.OK);

        Assert.Equal("acme-shop", read.GetProperty("slug").GetString());
    }

    [Fact]
    public async Task The_creation_of_the_repository_stands_in_the_project_with_all_its_members()
    {
        var slug = await Service.CreateProjectAsync("Acme Shop");
        await Service.ApproveAsync(slug);

        var project = await Service.CreationReachesAsync(slug, "created");

        Assert.Equal(ProjectMembers, project.EnumerateObject().Select(member => member.Name));
        Assert.Equal("auditmos-projects/acme-shop", project.GetProperty("githubRepo").GetString());
        var creation = project.GetProperty("repoCreation");
        Assert.Equal(CreationMembers, creation.EnumerateObject().Select(member => member.Name));
        Assert.Equal(JsonValueKind.String, creation.GetProperty("jobId").ValueKind);
        Assert.Equal(1, creation.GetProperty("attempts").GetInt32());
        foreach (var member in (string[])["errorCode", "githubStatus", "githubError", "nextAttemptAt", "waitsFor"])
            Assert.Equal(JsonValueKind.Null, creation.GetProperty(member).ValueKind);
        Timestamp(creation, "updatedAt");
    }

    [Fact]
    public async Task The_same_name_twice_answers_409_and_leaves_the_first_as_it_was()
    {
        await Service.CreateProjectAsync("Acme Shop");
        var before = await Service.GetProjectAsync("acme-shop");

        // Another name of the same slug is the same name.
        foreach (var name in (string[])["Acme Shop", "ACME shop!"])
        {
            var response = await Service.Http.PostAsJsonAsync("/projects", new { name }, Cancelled);
            var problem = await response.ReadProblemAsync(HttpStatusCode.Conflict, "CONFLICT");
            Assert.Contains("acme-shop", problem.GetProperty("message").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(before.GetRawText(), (await Service.GetProjectAsync("acme-shop")).GetRawText());
        Assert.Equal(1L, await Service.QueryAsync<long>("SELECT count(*) FROM projects"));
    }

    [Fact]
    public async Task The_same_name_many_times_at_once_makes_one_project()
    {
        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Service.Http.PostAsJsonAsync("/projects", new { name = "Rush" }, Cancelled)));

        Assert.Single(responses, response => response.StatusCode is HttpStatusCode.Created);
        Assert.Equal(7, responses.Count(response => response.StatusCode is HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task A_name_of_a_hundred_characters_is_taken_and_its_slug_cut()
    {
        var name = new string('n', 100);

        var project = await (await Service.Http.PostAsJsonAsync("/projects", new { name }, Cancelled)).ReadAsync(HttpStatusCode.Created);

        Assert.Equal(name, project.GetProperty("name").GetString());
        Assert.Equal(95, project.GetProperty("slug").GetString()!.Length);
    }

    [Fact]
    public async Task Spaces_around_a_name_are_not_kept_and_other_scripts_are()
    {
        var response = await Service.Http.PostAsJsonAsync("/projects", new { name = "  Zażółć 東京 🚀 " }, Cancelled);
        var project = await response.ReadAsync(HttpStatusCode.Created);

        Assert.Equal("Zażółć 東京 🚀", project.GetProperty("name").GetString());
        Assert.Matches(@"\A[a-z0-9-]+\z", project.GetProperty("slug").GetString());
    }

    [Fact]
    public async Task Unknown_properties_are_ignored()
    {
        var response = await PostAsync("""{ "name": "Acme", "slug": "mine", "status": "complete", "x": { "y": [1] } }""");
        var project = await response.ReadAsync(HttpStatusCode.Created);

        Assert.Equal(("acme", "interviewing"), (project.GetProperty("slug").GetString(), project.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task A_name_that_does_not_fit_answers_400_and_names_the_field()
    {
        string[] bodies =
        [
            """{}""",
            """{ "name": null }""",
            """{ "name": "" }""",
            """{ "name": "   " }""",
            """{ "name": "!!!" }""",
            """{ "name": 5 }""",
            """{ "name": ["Acme"] }""",
            """{ "name": "Ac\u0000me" }""",
            """{ "name": "Ac\u0007me" }""",
            """{ "name": "Ac\nme" }""",
            """{ "name": "Ac\ud800me" }""",
        ];

        await Assert.AllAsync(bodies, async body => await AssertInvalidAsync(await PostAsync(body), "name"));

        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT count(*) FROM projects"));
    }

    [Fact]
    public async Task A_name_of_more_than_a_hundred_characters_answers_400() =>
        await AssertInvalidAsync(await Service.Http.PostAsJsonAsync("/projects", new { name = new string('n', 101) }, Cancelled), "name");

    [Fact]
    public async Task No_projects_are_an_empty_page()
    {
        var page = await ListAsync("");

        Assert.Equal(["data", "pagination"], page.EnumerateObject().Select(member => member.Name));
        Assert.Equal(0, page.GetProperty("data").GetArrayLength());
        Assert.Equal(["total", "limit", "offset", "hasMore"], page.GetProperty("pagination").EnumerateObject().Select(member => member.Name));
        Assert.Equal((0, 10, 0, false), Pagination(page));
    }

    [Fact]
    public async Task Projects_come_newest_first_ten_at_a_time()
    {
        await CreateManyAsync(12);

        var first = await ListAsync("");
        var second = await ListAsync("?offset=10");

        Assert.Equal(Enumerable.Range(3, 10).Reverse().Select(i => $"project-{i}"), Slugs(first));
        Assert.Equal((12, 10, 0, true), Pagination(first));
        Assert.Equal(["project-2", "project-1"], Slugs(second));
        Assert.Equal((12, 10, 10, false), Pagination(second));
        Assert.All(first.GetProperty("data").EnumerateArray(), project => Assert.Equal(ProjectMembers, project.EnumerateObject().Select(member => member.Name)));
    }

    [Fact]
    public async Task A_page_says_where_it_is_and_whether_more_follows()
    {
        await CreateManyAsync(6);
        (string Query, int Limit, int Offset, bool HasMore, int Count)[] pages =
        [
            ("?limit=4", 4, 0, true, 4),
            ("?limit=4&offset=2", 4, 2, false, 4),
            ("?limit=4&offset=4", 4, 4, false, 2),
            ("?limit=6", 6, 0, false, 6),
            ("?limit=100", 100, 0, false, 6),
            ("?limit=1&offset=5", 1, 5, false, 1),
            ("?offset=6", 10, 6, false, 0),
            ("?offset=2147483647", 10, int.MaxValue, false, 0),
        ];

        await Assert.AllAsync(pages, async expected =>
        {
            var page = await ListAsync(expected.Query);
            Assert.Equal((6, expected.Limit, expected.Offset, expected.HasMore), Pagination(page));
            Assert.Equal(expected.Count, page.GetProperty("data").GetArrayLength());
        });
    }

    [Fact]
    public async Task Pages_of_projects_of_the_same_moment_show_each_once()
    {
        await CreateManyAsync(9);
        await Service.QueryAsync<object>("UPDATE projects SET created_at = '2026-01-02T03:04:05Z'");

        var seen = new List<string>();
        for (var offset = 0; offset < 9; offset += 2)
            seen.AddRange(Slugs(await ListAsync($"?limit=2&offset={offset}")));

        Assert.Equal(Enumerable.Range(1, 9).Select(i => $"project-{i}"), seen.Order());
        Assert.Equal(seen, Slugs(await ListAsync("")));
    }

    [Fact]
    public async Task The_status_filter_finds_the_projects_in_that_status_alone()
    {
        await CreateManyAsync(4);
        foreach (var slug in (string[])["project-2", "project-3", "project-4"])
            await Service.ApproveAsync(slug);
        await SetStatusAsync("project-3", "active");
        await SetStatusAsync("project-4", "active");
        await SetStatusAsync("project-4", "complete");

        foreach (var (status, slug) in ((string, string)[])[("interviewing", "project-1"), ("review", "project-2"), ("active", "project-3"), ("complete", "project-4")])
        {
            var page = await ListAsync($"?status={status}");
            Assert.Equal([slug], Slugs(page));
            Assert.Equal((1, 10, 0, false), Pagination(page));
        }
    }

    [Fact]
    public async Task The_search_finds_the_text_in_names_and_slugs_whatever_its_case()
    {
        foreach (var name in (string[])["Acme Shop", "Shoppers' Zoo", "Zażółć", "100% pure", "snake_case", @"back\slash"])
            await Service.CreateProjectAsync(name);
        (string Text, string[] Found)[] searches =
        [
            ("shop", ["acme-shop", "shoppers-zoo"]),
            ("SHOP", ["acme-shop", "shoppers-zoo"]),
            ("me-sh", ["acme-shop"]),
            ("Acme Shop", ["acme-shop"]),
            ("żółć", ["zazolc"]),
            ("ŻÓŁĆ", ["zazolc"]),
            ("zolc", ["zazolc"]),
            ("%", ["100-pure"]),
            ("0%", ["100-pure"]),
            ("_", ["snake-case"]),
            ("e_c", ["snake-case"]),
            (@"\", ["back-slash"]),
            (@"k\s", ["back-slash"]),
            ("a%p", []),
            ("a_m", []),
            ("nothing like it", []),
        ];

        await Assert.AllAsync(searches, async search =>
        {
            var page = await ListAsync($"?q={Uri.EscapeDataString(search.Text)}");
            Assert.Equal(search.Found.Order(), Slugs(page).Order());
            Assert.Equal(search.Found.Length, page.GetProperty("pagination").GetProperty("total").GetInt32());
        });
    }

    [Fact]
    public async Task Filters_and_pages_go_together()
    {
        await CreateManyAsync(5);
        await Service.CreateProjectAsync("Other");
        await Service.ApproveAsync("project-5");

        var page = await ListAsync("?status=interviewing&q=project&limit=3&offset=1");

        Assert.Equal(["project-3", "project-2", "project-1"], Slugs(page));
        Assert.Equal((4, 3, 1, false), Pagination(page));
    }

    [Fact]
    public async Task An_empty_search_finds_everything()
    {
        await CreateManyAsync(2);

        Assert.Equal(2, (await ListAsync("?q=")).GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task A_query_that_does_not_fit_answers_400_and_names_the_parameter()
    {
        (string Query, string Field)[] queries =
        [
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=101", "limit"),
            ("limit=ten", "limit"),
            ("limit=1.5", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("offset=-1", "offset"),
            ("offset=x", "offset"),
            ("offset=2147483648", "offset"),
            ("status=done", "status"),
            ("status=0", "status"),
            ("status=%00", "status"),
            ("q=%00", "q"),
            ("q=a%00b", "q"),
        ];

        await Assert.AllAsync(queries, async query => await AssertInvalidAsync(await Service.Http.GetAsync($"/projects?{query.Query}", Cancelled), query.Field));
    }

    [Fact]
    public async Task A_query_that_does_not_fit_is_quoted_as_it_was_sent()
    {
        var problem = await (await Service.Http.GetAsync("/projects?limit=%22ten%22.", Cancelled)).ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");

        Assert.Equal("'\"ten\".' is not a valid limit.", problem.GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_deleted_project_is_gone_and_its_name_free()
    {
        var slug = await Service.CreateProjectAsync("Acme Shop");
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/spec", new { contentMarkdown = "# Spec" }, Cancelled)).ReadAsync(HttpStatusCode.OK);
        await Service.ApproveAsync(slug);
        await Service.CreationReachesAsync(slug, "created");

        var response = await Service.Http.DeleteAsync($"/projects/{slug}", Cancelled);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancelled));
        await (await Service.Http.GetAsync($"/projects/{slug}", Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        await (await Service.Http.DeleteAsync($"/projects/{slug}", Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        Assert.Equal(0L, await Service.QueryAsync<long>("SELECT (SELECT count(*) FROM specs) + (SELECT count(*) FROM repo_creations)"));
        Assert.Single(Service.GitHub.Repositories.All);
        await Service.CreateProjectAsync("Acme Shop");
    }

    [Fact]
    public async Task The_admin_chooses_a_repository_and_takes_it_back()
    {
        var slug = await Service.CreateProjectAsync("By hand");

        var chosen = await (await ChooseAsync(slug, """{ "githubRepo": "Some-One/else.js" }""")).ReadAsync(HttpStatusCode.OK);
        Assert.Equal(ProjectMembers, chosen.EnumerateObject().Select(member => member.Name));
        Assert.Equal("Some-One/else.js", chosen.GetProperty("githubRepo").GetString());
        Assert.Equal("Some-One/else.js", (await Service.GetProjectAsync(slug)).GetProperty("githubRepo").GetString());

        var none = await (await ChooseAsync(slug, """{ "githubRepo": null, "other": 1 }""")).ReadAsync(HttpStatusCode.OK);
        Assert.Equal(JsonValueKind.Null, none.GetProperty("githubRepo").ValueKind);
        Assert.Equal(JsonValueKind.Null, (await Service.GetProjectAsync(slug)).GetProperty("githubRepo").ValueKind);
        Assert.Empty(Service.GitHub.Requests.All);
    }

    [Fact]
    public async Task A_choice_that_is_no_repository_answers_400_and_keeps_the_one_before()
    {
        var slug = await Service.CreateProjectAsync("By hand");
        await (await ChooseAsync(slug, """{ "githubRepo": "someone/else" }""")).ReadAsync(HttpStatusCode.OK);
        string[] bodies =
        [
            """{}""",
            """{ "repo": "owner/name" }""",
            """{ "githubRepo": "" }""",
            """{ "githubRepo": "name" }""",
            """{ "githubRepo": "owner/name/more" }""",
            """{ "githubRepo": "owner/.." }""",
            """{ "githubRepo": "https://github.com/owner/name" }""",
            """{ "githubRepo": "owner/name\u0000" }""",
            """{ "githubRepo": 5 }""",
        ];

        await Assert.AllAsync(bodies, async body => await AssertInvalidAsync(await ChooseAsync(slug, body), "githubRepo"));

        Assert.Equal("someone/else", (await Service.GetProjectAsync(slug)).GetProperty("githubRepo").GetString());
    }

    [Fact]
    public async Task An_unknown_project_answers_404()
    {
        await Service.CreateProjectAsync("Acme");
        string[] slugs = ["nobody", "ACME", "%20", "a%0Ab", "%F0%9F%9A%80", "'%20OR%201=1--"];

        await Assert.AllAsync(slugs, async slug =>
        {
            await (await Service.Http.GetAsync($"/projects/{slug}", Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
            await (await Service.Http.DeleteAsync($"/projects/{slug}", Cancelled)).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
            await (await ChooseAsync(slug, """{ "githubRepo": null }""")).ReadProblemAsync(HttpStatusCode.NotFound, "NOT_FOUND");
        });

        Assert.Equal(1L, await Service.QueryAsync<long>("SELECT count(*) FROM projects"));
    }

    [Fact]
    public async Task A_slug_with_a_NUL_is_the_fault_of_the_caller()
    {
        foreach (var slug in (string[])["%00", "acme%00", "%2500"])
        {
            HttpResponseMessage[] responses =
            [
                await Service.Http.GetAsync($"/projects/{slug}", Cancelled),
                await Service.Http.DeleteAsync($"/projects/{slug}", Cancelled),
                await ChooseAsync(slug, """{ "githubRepo": null }"""),
            ];

            // The web server itself may refuse such an address.
            Assert.All(responses, response => Assert.True(response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest, $"{response.StatusCode}"));
        }
    }

    private static DateTime Timestamp(JsonElement element, string member)
    {
        var text = element.GetProperty(member).GetString()!;
        Assert.Matches(@"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\z", text);
        return DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
    }

    private static (int Total, int Limit, int Offset, bool HasMore) Pagination(JsonElement page)
    {
        var pagination = page.GetProperty("pagination");
        return (pagination.GetProperty("total").GetInt32(), pagination.GetProperty("limit").GetInt32(),
            pagination.GetProperty("offset").GetInt32(), pagination.GetProperty("hasMore").GetBoolean());
    }

    private static IEnumerable<string> Slugs(JsonElement page) =>
        page.GetProperty("data").EnumerateArray().Select(project => project.GetProperty("slug").GetString()!);

    private static async Task AssertInvalidAsync(HttpResponseMessage response, string field)
    {
        var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
        Assert.True(problem.TryGetProperty("errors", out var errors), $"There are no errors in {problem}");
        var error = Assert.Single(errors.EnumerateObject());
        Assert.Equal(field, error.Name);
        Assert.NotEqual(0, error.Value.GetArrayLength());
        Assert.All(error.Value.EnumerateArray(), text => Assert.False(string.IsNullOrWhiteSpace(text.GetString())));
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private Task<HttpResponseMessage> PostAsync(string body) => Service.Http.PostAsync("/projects", Json(body), Cancelled);

    private Task<HttpResponseMessage> ChooseAsync(string slug, string body) =>
        Service.Http.PutAsync($"/projects/{slug}/github-repo", Json(body), Cancelled);

    private async Task<JsonElement> ListAsync(string query) =>
        await (await Service.Http.GetAsync($"/projects{query}", Cancelled)).ReadAsync(HttpStatusCode.OK);

    private async Task SetStatusAsync(string slug, string status) =>
        await (await Service.Http.PutAsJsonAsync($"/projects/{slug}/status", new { status }, Cancelled)).ReadAsync(HttpStatusCode.OK);

    private async Task CreateManyAsync(int count)
    {
        for (var i = 1; i <= count; i++)
            await Service.CreateProjectAsync($"Project {i}");
    }
}
