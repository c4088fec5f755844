using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace Operator;

/// <summary>What people read: a progress bar on a terminal, plain lines elsewhere. Texts of others arrive without control characters.</summary>
internal static class Screen
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Texts come from GitHub and from projects: none of them shall move the cursor, or change the terminal's title.</summary>
    public static string Plain(string text) => string.Concat(text.Select(letter => char.IsControl(letter) || char.GetUnicodeCategory(letter) is UnicodeCategory.Format ? ' ' : letter));

    public static string Number(int count) => count.ToString("N0", CultureInfo.InvariantCulture);

    public static string Instant(DateTime at) => at.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFZ", CultureInfo.InvariantCulture);

    public static void Line(string text) => Console.Out.WriteLine(Plain(text));

    public static void Json(object value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, value.GetType(), Indented));

    /// <summary>Asks at the terminal.</summary>
    /// <exception cref="ScriptException">There is nobody to ask, or the answer is not yes.</exception>
    public static async Task ConfirmAsync(string question, Interruption interruption)
    {
        if (Console.IsInputRedirected)
            throw new ScriptException(ExitCode.NotConfirmed, "Nothing was done: there is no terminal to ask at. Give --yes to do it, or --dry-run to only look.");
        await Console.Error.WriteAsync($"{Plain(question)} [y/N] ");
        // The terminal cannot be read under a token: an interrupted read is left behind.
        var answer = await Task.Run(Console.ReadLine).WaitAsync(interruption.Asked);
        if (answer?.Trim().ToUpperInvariant() is not ("Y" or "YES"))
            throw new ScriptException(ExitCode.NotConfirmed, "Nothing was done.");
    }

    /// <summary>Shows how far the work is.</summary>
    /// <param name="what">What is counted, as a verb.</param>
    /// <param name="total">Of it, at the start.</param>
    /// <param name="quiet">Shows nothing.</param>
    /// <param name="work">Tells the number that is done, as often as it likes.</param>
    public static async Task ProgressAsync(string what, int total, bool quiet, Func<Action<int>, Task> work)
    {
        if (quiet)
        {
            await work(_ => { });
            return;
        }

        if (Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive)
        {
            await work(done => Line($"{what} {Number(done)} of {Number(total)}"));
            return;
        }

        await AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask(Markup.Escape(what), maxValue: Math.Max(1, total));
                await work(done =>
                {
                    bar.Value = done;
                    bar.Description = Markup.Escape($"{what} {Number(done)} of {Number(total)}");
                });
            });
    }
}
