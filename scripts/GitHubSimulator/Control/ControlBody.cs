using System.Text.Json;
using System.Text.Json.Serialization;

namespace GitHubSimulator.Control;

/// <summary>Reads a JSON body strictly, whatever its content type, so that curl -d works and a mistyped property is not ignored.</summary>
internal static class ControlBody
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.Strict,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    public static async Task<(T? Value, string? Problem)> ReadAsync<T>(HttpContext context)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(context.Request.Body, Json, context.RequestAborted) is { } value
                ? (value, null)
                : (null, $"The body must be a JSON object. {Known<T>()}");
        }
        catch (JsonException error)
        {
            var place = error.Path is null or "" or "$" ? "The body is not the expected JSON." : $"{error.Path} is wrong or unknown.";
            return (null, $"{place} {Known<T>()}");
        }
    }

    private static string Known<T>()
    {
        var names = Json.GetTypeInfo(typeof(T)).Properties.Select(property => property.Name + (property.IsRequired ? " (required)" : ""));
        return $"Known properties: {string.Join(", ", names)}.";
    }
}
