#!/usr/bin/env dotnet
#:include Operator/Script.cs
using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Operator;

/// <summary>Writes down the creations that match a filter, however many there are.</summary>
internal static class ListFailed
{
    private const int PageSize = 100;

    private static readonly Option<string[]> States = CommonOptions.NoneEmpty(new("--state")
    {
        Description = "queued, creating, retrying, failed, created or skipped; failed unless told. May be repeated",
        HelpName = "state",
    });

    private static readonly Option<string[]> Codes = FilterOptions.Codes();

    private static readonly Option<string> Since = FilterOptions.Since();

    private static readonly Option<string> Until = FilterOptions.Until();

    private static readonly Option<string> Text = FilterOptions.Text();

    private static readonly Option<int?> Limit = BulkOptions.AtLeastOne(new("--limit") { Description = "At most so many, last changed first", HelpName = "n" });

    private static readonly Option<string> Format = new Option<string>("--format")
    {
        Description = "table, csv or json; --json is the last one",
        HelpName = "format",
    }.AcceptOnlyFromAmong("table", "csv", "json");

    internal static Task<int> Main(string[] args) => Script.RunAsync(
        "list-failed",
        "Lists failed creations of repositories, last changed first, as a table, as CSV (RFC 4180, safe in spreadsheets) or as JSON.",
        args, [States, Codes, Since, Until, Text, Limit, Format], RunAsync, onlyReads: true);

    private static async Task<int> RunAsync(ScriptRun run)
    {
        var options = run.Options;
        var format = run.Json ? "json" : options.GetValue(Format) ?? "table";
        IListing listing = format switch { "json" => new JsonListing(), "csv" => new CsvListing(), _ => new TableListing() };
        var left = options.GetValue(Limit) ?? int.MaxValue;
        var (since, until) = await FilterOptions.InstantsAsync(run, options.GetValue(Since), options.GetValue(Until));
        await using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = false };
        var (cursor, count) = ((string?)null, 0);
        do
        {
            run.Interruption.Asked.ThrowIfCancellationRequested();
            var page = await run.Service.GetAsync<CreationsPage>(Query(options, since, until, cursor, Math.Min(left, PageSize)));
            if (count is 0)
                await output.WriteAsync(listing.Begin);
            foreach (var creation in page.Data)
                await output.WriteAsync(listing.Row(creation, count++));
            await output.FlushAsync();
            left -= page.Data.Count;
            cursor = left > 0 ? page.NextCursor : null;
        }
        while (cursor is not null);
        await output.WriteAsync(listing.End(count));
        return ExitCode.Done;
    }

    private static string Query(ParseResult options, string? since, string? until, string? cursor, int limit)
    {
        var states = options.GetValue(States) is { Length: > 0 } some ? some : ["failed"];
        IEnumerable<(string Name, string? Value)> parts =
        [
            .. states.Select(state => ("state", (string?)state)), .. (options.GetValue(Codes) ?? []).Select(code => ("code", (string?)code)),
            ("since", since), ("until", until), ("q", options.GetValue(Text)), ("cursor", cursor),
            ("limit", limit.ToString(CultureInfo.InvariantCulture)),
        ];
        return $"repo-creations?{string.Join('&', parts.Where(part => part.Value is not null).Select(part => $"{part.Name}={Uri.EscapeDataString(part.Value!)}"))}";
    }

    /// <summary>Writes as it reads: nothing is kept.</summary>
    private interface IListing
    {
        string Begin { get; }

        string Row(ListedCreation creation, int index);

        string End(int count);
    }

    private sealed class JsonListing : IListing
    {
        public string Begin => "[";

        public string Row(ListedCreation creation, int index) => $"{(index is 0 ? "" : ",")}\n{JsonSerializer.Serialize(creation, JsonSerializerOptions.Web)}";

        public string End(int count) => count is 0 ? "]\n" : "\n]\n";
    }

    private sealed class CsvListing : IListing
    {
        public string Begin => Csv.Line("slug", "name", "state", "errorCode", "githubStatus", "githubError", "attempts", "nextAttemptAt", "updatedAt", "jobId");

        public string Row(ListedCreation c, int index) => Csv.Line(
            c.Slug, c.Name, c.State, c.ErrorCode, c.GithubStatus?.ToString(CultureInfo.InvariantCulture), c.GithubError,
            c.Attempts.ToString(CultureInfo.InvariantCulture), c.NextAttemptAt is { } next ? Screen.Instant(next) : null, Screen.Instant(c.UpdatedAt), c.JobId);

        public string End(int count) => "";
    }

    private sealed class TableListing : IListing
    {
        public string Begin => Line("SLUG", "STATE", "CODE", "TRIES", "CHANGED", "GITHUB SAYS");

        public string Row(ListedCreation c, int index) => Line(
            c.Slug, c.State, c.ErrorCode ?? "NONE", c.Attempts.ToString(CultureInfo.InvariantCulture),
            c.UpdatedAt.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture), $"{c.GithubStatus} {c.GithubError}".Trim());

        public string End(int count) => count is 0 ? "Nothing matches.\n" : $"{Screen.Number(count)} creations.\n";

        private static string Line(string slug, string state, string code, string attempts, string changed, string text) =>
            Screen.Plain($"{slug,-32} {state,-8} {code,-22} {attempts,5} {changed,-19} {text}").TrimEnd() + "\n";
    }
}
