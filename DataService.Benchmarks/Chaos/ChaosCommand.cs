using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;

namespace DataService.Benchmarks.Chaos;

internal static class ChaosCommand
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static Command Create()
    {
        var defaults = new ChaosOptions();
        var duration = Time("--duration", "how long to disturb the service: 30s, 10m, 1h", defaults.Duration);
        var settle = Time("--settle", "how long the service may take to finish after that", defaults.SettleLimit);
        var seed = new Option<int>("--seed")
        {
            Description = "repeats the faults, strangers and kills of a run; random unless told",
            DefaultValueFactory = _ => defaults.Seed,
        };
        var rate = new Option<double>("--rate") { Description = "approvals a second", DefaultValueFactory = _ => defaults.Rate };
        var logs = new Option<string?>("--logs") { Description = "a folder that keeps what the instances print" };
        var json = new Option<bool>("--json") { Description = "print the report as JSON" };
        rate.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (> 0 and <= 100))
                result.AddError("--rate must be above 0 and at most 100.");
        });

        var command = new Command("chaos", "Approves projects while instances, PostgreSQL and GitHub fail, then counts the repositories.")
        {
            duration, seed, rate, settle, logs, json,
        };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var options = new ChaosOptions
            {
                Duration = arguments.GetValue(duration),
                Seed = arguments.GetValue(seed),
                Rate = arguments.GetValue(rate),
                SettleLimit = arguments.GetValue(settle),
                LogFolder = arguments.GetValue(logs),
            };
            var configuration = arguments.InvocationConfiguration;
            var report = await new ChaosRun(options, configuration.Error).RunAsync(cancellationToken);
            var text = arguments.GetValue(json) ? JsonSerializer.Serialize(report, Json) : report.ToString();
            await configuration.Output.WriteLineAsync(text);
            return report.IsClean ? 0 : 1;
        });
        return command;
    }

    private static Option<TimeSpan> Time(string name, string description, TimeSpan otherwise) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => otherwise,
        CustomParser = ParseTime,
    };

    private static TimeSpan ParseTime(ArgumentResult result)
    {
        var text = result.Tokens.Single().Value;
        var unit = text[^1..] switch
        {
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            _ => TimeSpan.Zero,
        };
        if (unit > TimeSpan.Zero
            && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and < 100_000)
            return unit * number;
        result.AddError($"'{text}' is no time such as 30s, 10m or 1h.");
        return default;
    }
}
