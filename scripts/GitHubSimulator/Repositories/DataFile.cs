using System.Text.Json;

namespace GitHubSimulator.Repositories;

internal sealed record SavedRepository(SimulatedRepository Repository, IReadOnlyList<SimulatedIssue> Issues);

internal sealed record SavedData(long LastId, IReadOnlyList<SavedRepository> Repositories, IReadOnlyDictionary<string, long> FormerNames);

internal sealed class DataFile(string path)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { IgnoreReadOnlyProperties = true };

    public SavedData? Load()
    {
        if (!File.Exists(path))
            return null;

        try
        {
            using var stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<SavedData>(stream, Json);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"SIMULATOR_DATA: {path} does not hold the simulator's data ({error.Message}).", error);
        }
    }

    /// <summary>A reader, or a start after a kill, finds the old file or the new one and never half of one.</summary>
    public void Save(SavedData data)
    {
        var whole = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(whole)!);
        var next = whole + ".next";
        using (var stream = File.Create(next))
        {
            JsonSerializer.Serialize(stream, data, Json);
            stream.Flush(flushToDisk: true);
        }

        File.Move(next, whole, overwrite: true);
    }
}
