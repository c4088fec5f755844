#!/usr/bin/env dotnet
#:include Operator/Script.cs
using System.CommandLine;

namespace Operator;

/// <summary>Runs failed creations again that match a filter.</summary>
internal static class RequeueFailed
{
    private static readonly Option<string[]> Codes = FilterOptions.Codes();

    private static readonly Option<string> Since = FilterOptions.Since();

    private static readonly Option<string> Until = FilterOptions.Until();

    private static readonly Option<string[]> Slugs = CommonOptions.NotEmpty(
        new Option<string[]>("--slug") { Description = "Only this project. May be repeated", HelpName = "slug" });

    private static readonly Option<string> Text = FilterOptions.Text();

    private static readonly Option<int?> Limit = BulkOptions.Limit();

    private static readonly Option<Rate?> Rate = BulkOptions.Rate();

    private static readonly Option<string> Reason = BulkOptions.Reason();

    private static readonly Option<bool> DryRun = BulkOptions.DryRun();

    private static readonly Option<bool> Yes = BulkOptions.Yes();

    internal static Task<int> Main(string[] args) => Script.RunAsync(
        "requeue-failed",
        """
        Runs failed creations of repositories again. Shows how many there are of each code, asks, and enqueues their jobs in batches.
        Ctrl-C ends it after the batch under way and says what was done; running it again goes on. Nothing is enqueued twice.
        """,
        args, [Codes, Since, Until, Slugs, Text, Limit, Rate, Reason, DryRun, Yes], RunAsync);

    private static async Task<int> RunAsync(ScriptRun run)
    {
        var options = run.Options;
        var (since, until) = await FilterOptions.InstantsAsync(run, options.GetValue(Since), options.GetValue(Until));
        var codes = options.GetValue(Codes) is { Length: > 0 } someCodes ? someCodes : null;
        var slugs = options.GetValue(Slugs) is { Length: > 0 } someSlugs ? someSlugs : null;
        Task<BatchAnswer> SendAsync(BulkRun.Batch batch, string[]? only) => run.Service.PostAsync<BatchAnswer>("repo-creations/requeue", new
        {
            Codes = only,
            Slugs = slugs,
            Since = since,
            Until = batch.Until ?? until,
            Q = options.GetValue(Text),
            Reason = batch.DryRun ? null : options.GetValue(Reason),
            batch.Limit,
            batch.DryRun,
        });

        async Task<Dictionary<string, int>> GroupsAsync(string end)
        {
            var query = string.Concat(new[] { ("since", since), ("until", end), ("q", options.GetValue(Text)) }
                .Where(part => part.Item2 is not null).Select(part => $"&{part.Item1}={Uri.EscapeDataString(part.Item2!)}"));
            var known = (await run.Service.GetAsync<CreationsPage>($"repo-creations?state=failed&limit=1{query}")).CountsByCode.Keys;
            var groups = new Dictionary<string, int>();
            foreach (var code in known.Where(code => codes is null || Array.Exists(codes, wanted => wanted.Split(',').Contains(code, StringComparer.OrdinalIgnoreCase))))
            {
                if (await SendAsync(new BulkRun.Batch(end, null, DryRun: true), [code]) is { Remaining: > 0 and var count })
                    groups[code] = count;
            }

            return groups;
        }

        return await new BulkRun(run, "Requeue", takesUntil: true, batch => SendAsync(batch, codes)).RunAsync(
            options.GetValue(Limit), options.GetValue(Rate), options.GetValue(DryRun), options.GetValue(Yes), until, GroupsAsync);
    }
}
