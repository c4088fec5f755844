using System.CommandLine;
using System.Globalization;

namespace Operator;

/// <summary>The options of scripts that enqueue many.</summary>
internal static class BulkOptions
{
    public static Option<int?> Limit() => AtLeastOne(new("--limit") { Description = "At most so many, those first that have waited longest", HelpName = "n" });

    public static Option<Rate?> Rate() => new("--rate")
    {
        Description = "At most so many in a time: 30/min, 2/s, 600/h",
        HelpName = "n/min",
        CustomParser = Operator.Rate.Parse,
    };

    public static Option<string> Reason() => CommonOptions.NotEmpty(
        new Option<string>("--reason") { Description = "Why; it stands in the audit and in the jobs' history", HelpName = "text" });

    public static Option<bool> DryRun() => new("--dry-run") { Description = "Only show what would be done" };

    public static Option<bool> Yes() => new("--yes", "-y") { Description = "Do not ask" };

    public static Option<int?> AtLeastOne(Option<int?> option)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1))
                result.AddError($"{option.Name} must be a whole number from 1.");
        });
        return option;
    }
}
