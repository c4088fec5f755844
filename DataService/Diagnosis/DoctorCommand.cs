using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;

namespace DataService.Diagnosis;

/// <summary><c>DataService doctor</c>: the checks in a process of their own, with the environment of the service. Starts and migrates nothing.</summary>
internal static class DoctorCommand
{
    private const string Name = "doctor";

    private const string Json = "--json";

    private const string Usage =
        """
        DataService doctor [--json]

        Checks, with the environment of the service, whether it can do its work; one line each, with the cure. Only reads.
        Exit codes: 0 all is well, 1 a check warns, 2 a check fails, or the configuration does not fit.
        """;

    public static bool IsAsked(string[] args) => args is [Name, ..];

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IServiceProvider services, string[] args, CancellationToken cancellationToken)
    {
        if (args is not ([_] or [_, Json]))
        {
            await (args is [_, "--help" or "-h" or "-?"] ? Console.Out : Console.Error).WriteLineAsync(Usage);
            return args is [_, "--help" or "-h" or "-?"] ? 0 : 2;
        }

        var found = await services.GetRequiredService<Doctor>().ExamineAsync(cancellationToken);
        return Write(found, args, services.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions);
    }

    /// <summary>Where the checks cannot begin.</summary>
    /// <returns>The exit code.</returns>
    public static int Refuse(string reason, string[] args) => Write(
        DoctorResponse.Of([new CheckResponse("configuration", CheckStatus.Fail, reason)], DateTime.UtcNow), args,
        new JsonSerializerOptions(JsonSerializerDefaults.Web) { Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } });

    private static int Write(DoctorResponse found, string[] args, JsonSerializerOptions json)
    {
        if (args.Contains(Json))
            Console.Out.WriteLine(JsonSerializer.Serialize(found, json));
        else
            found.Checks.ToList().ForEach(check => Console.Out.WriteLine($"{Word(check.Status),-4}  {check.Name,-15}  {OneLine(check)}"));
        return (int)found.Status;
    }

    private static string Word(CheckStatus status) => status switch { CheckStatus.Ok => "ok", CheckStatus.Warn => "warn", _ => "fail" };

    /// <summary>Others have written parts of it.</summary>
    private static string OneLine(CheckResponse check) =>
        string.Concat($"{check.Message}{(check.Cure is { } cure ? $" {cure}" : "")}".Select(letter => char.IsControl(letter) ? ' ' : letter));
}
