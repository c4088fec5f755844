using System.Text;
using System.Text.Json;

namespace DataService.Tests.Support;

internal static class Bodies
{
    /// <summary>A body that stands in the request to the letter.</summary>
    public static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    /// <summary>A refusal that must name exactly this field, with a text for a form.</summary>
    public static async Task<JsonElement> ReadInvalidAsync(this HttpResponseMessage response, string field)
    {
        var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, "VALIDATION_ERROR");
        Assert.True(problem.TryGetProperty("errors", out var errors), $"There are no errors in {problem}");
        var error = Assert.Single(errors.EnumerateObject());
        Assert.Equal(field, error.Name);
        Assert.NotEqual(0, error.Value.GetArrayLength());
        Assert.All(error.Value.EnumerateArray(), text => Assert.False(string.IsNullOrWhiteSpace(text.GetString())));
        return problem;
    }
}
