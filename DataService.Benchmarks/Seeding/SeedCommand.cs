using System.CommandLine;
using DataService.Benchmarks.Bench;
using DataService.Data;
using Npgsql;

namespace DataService.Benchmarks.Seeding;

internal static class SeedCommand
{
    public static Command Create()
    {
        var defaults = new SeedOptions();
        var failed = Count("--failed", "projects whose creation has failed", defaults.Failed);
        var created = Count("--created", "projects that have their repository", defaults.Created);
        var embedded = new Option<string?>("--embedded")
        {
            Description =
                $"the folder of an embedded PostgreSQL, such as .local/postgres of scripts/run, instead of {DataOptions.Variable}",
            HelpName = "folder",
        };
        var add = new Option<bool>("--add") { Description = "add to a database that holds projects; they are locked meanwhile" };
        const string What = $"Fills the database of {DataOptions.Variable}, or an embedded one, with projects as a long life leaves them.";
        var command = new Command("seed", What)
        {
            failed, created, embedded, add,
        };
        command.SetAction(async (arguments, cancellationToken) =>
        {
            var (output, error) = (arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
            var options = new SeedOptions
            {
                Failed = arguments.GetValue(failed),
                Created = arguments.GetValue(created),
                Add = arguments.GetValue(add),
            };
            try
            {
                await using var postgres = arguments.GetValue(embedded) is { } folder
                    ? await EmbeddedPostgres.StartAsync(folder, null, cancellationToken)
                    : null;
                var given = postgres?.ConnectionString ?? Environment.GetEnvironmentVariable(DataOptions.Variable);
                if (given is not { Length: > 0 } connectionString)
                    throw new NotSeededException($"Which database? Set {DataOptions.Variable}, or give --embedded a folder.");
                await using var database = new BenchDatabase(connectionString);
                await database.MigrateAsync(cancellationToken);
                await new Seeder(connectionString, options, error).RunAsync(cancellationToken);
                await output.WriteLineAsync($"Seeded {options.Failed} failed and {options.Created} created.");
                return 0;
            }
            catch (Exception exception) when (exception
                is NotSeededException or CannotRunException or EmbeddedPostgresException or NpgsqlException or ArgumentException)
            {
                await error.WriteLineAsync(exception is ArgumentException
                    ? $"{DataOptions.Variable} is no PostgreSQL connection string."
                    : $"Nothing was seeded: {exception.Message}");
                return 1;
            }
        });
        return command;
    }

    private static Option<int> Count(string name, string description, int otherwise)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [_] && !result.Errors.Any() && result.GetValueOrDefault<int>() is < 0 or > 10_000_000)
                result.AddError($"{name} must be from 0 to 10000000.");
        });
        return option;
    }
}
