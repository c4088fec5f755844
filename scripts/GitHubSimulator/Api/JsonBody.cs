using System.Text.Json;

namespace GitHubSimulator.Api;

/// <summary>Reads properties as GitHub's schema check does; the first thing wrong stays in <see cref="Refusal"/>.</summary>
internal sealed class JsonBody
{
    private readonly JsonElement _root;

    private JsonBody(JsonElement root) => _root = root;

    private JsonBody(GitHubAnswer refusal) => Refusal = refusal;

    public GitHubAnswer? Refusal { get; private set; }

    public static JsonBody Read(byte[] body) => Parse(body) switch
    {
        { ValueKind: JsonValueKind.Object } root => new(root),
        null when body.Length > 0 => new(Answers.Error(400, "Problems parsing JSON")),
        _ => new(Answers.InvalidRequest("For 'links/0/schema', nil is not an object.")),
    };

    public static string? NameIn(byte[] body) =>
        Parse(body) is { ValueKind: JsonValueKind.Object } root
        && root.TryGetProperty("name", out var name)
        && name.ValueKind is JsonValueKind.String
            ? name.GetString()
            : null;

    public bool Has(string name) => _root.ValueKind is JsonValueKind.Object && _root.TryGetProperty(name, out _);

    /// <returns>Null if the property is absent, null, or wrong; a wrong one leaves a refusal.</returns>
    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        _ => Refuse<string>($"For 'properties/{name}', {_root.GetProperty(name).GetRawText()} is not a string."),
    };

    /// <summary>As <see cref="Text"/>, but absent and null are wrong.</summary>
    public string RequiredText(string name) => Text(name) ?? Refuse<string>($"\"{name}\" wasn't supplied.") ?? "";

    public bool? Flag(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => RefuseFlag(name),
    };

    private static JsonElement? Parse(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement.Clone();
            // Escaped halves of surrogate pairs pass the parser and fail only when the text is taken out.
            foreach (var property in root.ValueKind is JsonValueKind.Object ? root.EnumerateObject().ToArray() : [])
                _ = (property.Name, property.Value.ValueKind is JsonValueKind.String ? property.Value.GetString() : null);
            return root;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private JsonElement? Find(string name) =>
        Has(name) && _root.GetProperty(name) is { ValueKind: not JsonValueKind.Null } value ? value : null;

    private T? Refuse<T>(string problem)
        where T : class
    {
        Refusal ??= Answers.InvalidRequest(problem);
        return null;
    }

    private bool? RefuseFlag(string name)
    {
        Refuse<string>($"For 'properties/{name}', {_root.GetProperty(name).GetRawText()} is not a boolean.");
        return null;
    }
}
