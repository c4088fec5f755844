#!/usr/bin/env dotnet
#:include Operator/Script.cs
using System.CommandLine;

namespace Operator;

/// <summary>Enqueues jobs for approved projects that have none.</summary>
internal static class EnqueueMissing
{
    private static readonly Option<int?> Limit = BulkOptions.Limit();

    private static readonly Option<Rate?> Rate = BulkOptions.Rate();

    private static readonly Option<string> Reason = BulkOptions.Reason();

    private static readonly Option<bool> DryRun = BulkOptions.DryRun();

    private static readonly Option<bool> Yes = BulkOptions.Yes();

    internal static Task<int> Main(string[] args) => Script.RunAsync(
        "enqueue-missing",
        """
        Enqueues a job for each approved project that has no repository and no live job: those whose job is lost, was deleted, or ended
        without a repository. Failures that have a code are left to requeue-failed.
        """,
        args, [Limit, Rate, Reason, DryRun, Yes], run => new BulkRun(run, "Enqueue", takesUntil: false, batch => run.Service.PostAsync<BatchAnswer>(
            "repo-creations/enqueue-missing", new { batch.Limit, batch.DryRun, Reason = batch.DryRun ? null : run.Options.GetValue(Reason) })).RunAsync(
                run.Options.GetValue(Limit), run.Options.GetValue(Rate), run.Options.GetValue(DryRun), run.Options.GetValue(Yes)));
}
