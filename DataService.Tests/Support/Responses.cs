using System.Text.Json;

namespace DataService.Tests.Support;

internal static class Responses
{
    /// <summary>The JSON body of an answer that must have the status.</summary>
    public static async Task<JsonElement> ReadAsync(this HttpResponseMessage response, HttpStatusCode expected)
    {
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == expected, $"Expected {(int)expected}, got {(int)response.StatusCode}: {body}");
        return JsonDocument.Parse(body).RootElement;
    }

    /// <summary>An error body that must fit the contract: problem details with code, message and error.</summary>
    public static async Task<JsonElement> ReadProblemAsync(this HttpResponseMessage response, HttpStatusCode expected, string code)
    {
        var problem = await response.ReadAsync(expected);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(code, problem.GetProperty("code").GetString());
        Assert.Equal((int)expected, problem.GetProperty("status").GetInt32());
        foreach (var member in (string[])["type", "title", "detail", "instance", "message", "error"])
            Assert.False(string.IsNullOrWhiteSpace(problem.GetProperty(member).GetString()), $"{member} is empty in {problem}");
        Assert.Equal(problem.GetProperty("message").GetString(), problem.GetProperty("error").GetString());
        return problem;
    }
}
