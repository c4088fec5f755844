using DataService.Tests.Support;

namespace DataService.Tests.Jobs.Dashboard;

public sealed class HangfireRequestsTests(PostgresCluster cluster) : ServiceTest(cluster)
{
    [Theory]
    [InlineData("GET", "/hangfire/jobs/details/no-number", null, HttpStatusCode.NotFound, "NOT_FOUND")]
    [InlineData("GET", "/hangfire/jobs/details/99999999999999999999", null, HttpStatusCode.NotFound, "NOT_FOUND")]
    [InlineData("GET", "/hangfire/Jobs/Details/no-number/", null, HttpStatusCode.NotFound, "NOT_FOUND")]
    [InlineData("POST", "/hangfire/jobs/actions/requeue/no-number", null, HttpStatusCode.NotFound, "NOT_FOUND")]
    [InlineData("POST", "/hangfire/jobs/actions/delete/-1", null, HttpStatusCode.NotFound, "NOT_FOUND")]
    [InlineData("POST", "/hangfire/jobs/failed/requeue", "no-number", HttpStatusCode.BadRequest, "VALIDATION_ERROR")]
    [InlineData("POST", "/hangfire/jobs/scheduled/delete", "", HttpStatusCode.BadRequest, "VALIDATION_ERROR")]
    [InlineData("POST", "/hangfire/jobs/failed/requeue", null, HttpStatusCode.UnsupportedMediaType, "VALIDATION_ERROR")]
    [InlineData("POST", "/hangfire/stats", null, HttpStatusCode.UnsupportedMediaType, "VALIDATION_ERROR")]
    [InlineData("GET", "/hangfire/stats/", null, HttpStatusCode.MethodNotAllowed, "VALIDATION_ERROR")]
    [InlineData("GET", "/hangfire/stats", null, HttpStatusCode.MethodNotAllowed, "VALIDATION_ERROR")]
    public async Task What_no_page_of_Hangfires_asks_is_refused_in_words(string method, string path, string? jobId, HttpStatusCode status, string code)
    {
        using var admin = await DashboardTests.SignInAsync(Service, token: RunningService.ApiToken);
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = jobId is null ? null : new FormUrlEncodedContent([new("jobs[]", jobId)]),
        };

        await (await admin.SendAsync(request, Cancelled)).ReadProblemAsync(status, code);
    }

    [Theory]
    [InlineData("/hangfire/jobs/details/4711")]
    [InlineData("/hangfire/jobs/details/4711/")]
    public async Task A_job_that_is_gone_has_a_page_that_says_so(string path)
    {
        using var admin = await DashboardTests.SignInAsync(Service, token: RunningService.ApiToken);

        var page = await admin.GetAsync(path, Cancelled);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
    }
}
