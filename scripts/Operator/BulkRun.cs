using System.Diagnostics;

namespace Operator;

/// <summary>What a run has done, for machines.</summary>
internal sealed record BulkResult(
    int Matched, int Requeued, int Skipped, int Remaining, IReadOnlyDictionary<string, int> SkippedReasons, DateTime Until, bool DryRun, bool Interrupted,
    IReadOnlyDictionary<string, int>? Groups);

/// <summary>
/// One run of batches over what a preview has counted. The batches share its <c>until</c>, so that what fails again meanwhile is not run
/// again, and a call that is sent twice does nothing twice.
/// </summary>
internal sealed class BulkRun(ScriptRun run, string verb, bool takesUntil, Func<BulkRun.Batch, Task<BatchAnswer>> send)
{
    /// <summary>The service's own limit.</summary>
    public const int MaxBatch = 5_000;

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <param name="Until">Of the run.</param>
    /// <param name="Limit">At most so many.</param>
    /// <param name="DryRun">Only counts.</param>
    internal sealed record Batch(string? Until, int? Limit, bool DryRun);

    /// <param name="limit">Of the whole run; null for all.</param>
    /// <param name="rate">Null for as fast as it goes.</param>
    /// <param name="dryRun">Shows what would be done.</param>
    /// <param name="confirmed">Does not ask.</param>
    /// <param name="until">As it was given.</param>
    /// <param name="groups">What the preview consists of, where that is of interest.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(int? limit, Rate? rate, bool dryRun, bool confirmed, string? until = null, Func<string, Task<Dictionary<string, int>>>? groups = null)
    {
        var preview = await send(new Batch(until, null, DryRun: true));
        until = Screen.Instant(preview.Until);
        var parts = groups is null || preview.Remaining is 0 ? null : await groups(until);
        var total = Math.Min(preview.Remaining, limit ?? int.MaxValue);
        if (!run.Json)
            Show(preview, parts, total);
        if (dryRun || total is 0)
        {
            if (run.Json)
                Screen.Json(Result(preview, 0, preview.Remaining, preview.SkippedReasons, dryRun, interrupted: false, parts));
            return ExitCode.Done;
        }

        if (!confirmed)
            await Screen.ConfirmAsync($"{verb} {Screen.Number(total)} of them?", run.Interruption);

        var (done, last, interrupted) = (0, preview, false);
        Exception? failure = null;
        await Screen.ProgressAsync($"{verb}d", total, run.Json, async report =>
        {
            try
            {
                while (!(interrupted = run.Interruption.IsAsked))
                {
                    last = await send(new Batch(until, Math.Min(total - done, rate?.BatchSize ?? MaxBatch), DryRun: false));
                    done += last.Requeued;
                    report(done);
                    // An empty batch with something left would come again and again.
                    if (last.Remaining is 0 || last.Requeued is 0 || done >= total)
                        return;
                    await PaceAsync(rate, done);
                }
            }
            catch (OperationCanceledException) when (run.Interruption.IsAsked)
            {
                interrupted = true;
            }
            catch (ScriptException exception)
            {
                failure = exception;
            }
        });

        if (run.Json)
            Screen.Json(Result(preview, done, Math.Max(0, last == preview ? preview.Remaining : last.Remaining), last.SkippedReasons, dryRun: false, interrupted, parts));
        else
            Conclude(done, total, last, interrupted || failure is not null, until);
        return failure is not null ? throw failure : interrupted ? run.Interruption.ExitCode : ExitCode.Done;
    }

    private static BulkResult Result(
        BatchAnswer preview, int done, int remaining, IReadOnlyDictionary<string, int> skipped, bool dryRun, bool interrupted, Dictionary<string, int>? groups) =>
        new(preview.Matched, done, skipped.Values.Sum(), remaining, skipped, preview.Until, dryRun, interrupted, groups);

    private async Task PaceAsync(Rate? rate, int done)
    {
        if (rate is not null && rate.Time(done) - _clock.Elapsed is { Ticks: > 0 } wait)
            await Task.Delay(wait, run.Interruption.Asked);
    }

    private static void Show(BatchAnswer preview, Dictionary<string, int>? groups, int total)
    {
        foreach (var (code, count) in groups?.OrderByDescending(group => group.Value) ?? Enumerable.Empty<KeyValuePair<string, int>>())
            Screen.Line($"  {code,-24} {Screen.Number(count),9}");
        Screen.Line(preview.Matched is 0
            ? "Nothing matches."
            : $"{Screen.Number(preview.Matched)} match, {Screen.Number(preview.Remaining)} can be run{(total < preview.Remaining ? $", {Screen.Number(total)} of them now" : "")}.");
        ShowSkipped(preview.SkippedReasons);
        if (preview.Engine is "public-api")
            Screen.Line("Hangfire's tables are not the ones that the service knows: this goes one by one, and slowly.");
    }

    private void Conclude(int done, int total, BatchAnswer last, bool isCut, string until)
    {
        var remaining = done is 0 && isCut ? total : last.Remaining;
        Screen.Line($"{verb}d {Screen.Number(done)}{(remaining > 0 ? $", {Screen.Number(remaining)} remain" : "")}.");
        if (done > 0)
            ShowSkipped(last.SkippedReasons);
        if (isCut)
            Screen.Line($"Not all of it was done. Run the same again to go on{(takesUntil ? $"; with --until {until} what has failed again since then is left alone" : "")}.");
        else if (done < total)
            Screen.Line($"{Screen.Number(total - done)} fewer than were counted: others were at them meanwhile.");
    }

    private static void ShowSkipped(IReadOnlyDictionary<string, int> reasons)
    {
        foreach (var (reason, count) in reasons.OrderByDescending(entry => entry.Value))
            Screen.Line($"  {Screen.Number(count)} left as they are: {reason}");
    }
}
