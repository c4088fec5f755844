using System.ComponentModel.DataAnnotations;
using DataService.Data;
using DataService.Domain;
using DataService.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace DataService.Specs;

/// <param name="ContentMarkdown">The whole specification.</param>
public sealed record WriteSpecRequest(
    [property: Required(ErrorMessage = "Give the specification's text."), PrintableText(Multiline = true)] string ContentMarkdown) : IWithExample
{
    static object IWithExample.Example => new WriteSpecRequest("# Acme Shop");
}

internal static class SpecsEndpoints
{
    private const long MaxBody = 4 * BodyLimits.Mebibyte;

    public static void MapSpecs(this IEndpointRouteBuilder app)
    {
        var specs = app.MapGroup("/projects/{slug}/spec").WithTags("Specs").ProducesProblems(ErrorCode.NotFound);
        specs.MapGet("", GetAsync).WithName("getSpec").WithSummary("Get the latest version of the spec");
        specs.MapPut("", WriteAsync).WithName("writeSpec").WithSummary("Write a new version of the spec").WithBodyLimit(MaxBody)
            .WithDescription("The first version is 1, and each further one adds one: no writer overwrites another.");
    }

    private static async Task<Results<Ok<SpecResponse>, ProblemHttpResult>> GetAsync(string slug, DataServiceDbContext db, CancellationToken cancellationToken)
    {
        if (await db.FindProjectAsync(slug, cancellationToken) is not { } project)
            return Problems.NoSuchProject(slug);
        var latest = await db.Specs.AsNoTracking().Where(s => s.ProjectId == project.Id).OrderByDescending(s => s.Version).FirstOrDefaultAsync(cancellationToken);
        return latest is null ? Problems.NotFound($"Project '{slug}' has no spec yet.") : TypedResults.Ok(SpecResponse.From(latest));
    }

    private static async Task<Results<Ok<SpecResponse>, ProblemHttpResult>> WriteAsync(
        string slug, WriteSpecRequest request, DataServiceDbContext db, TimeProvider time, CancellationToken cancellationToken)
    {
        var written = await db.InTransactionAsync(async token =>
        {
            // The project's lock lines the writers up: each finds the version of the one before.
            if (await db.LockProjectAsync(slug, token) is not { } project)
                return null;
            var last = await db.Specs.Where(s => s.ProjectId == project.Id).MaxAsync(s => (int?)s.Version, token);
            var spec = Spec.Create(project.Id, request.ContentMarkdown, (last ?? 0) + 1, time.UtcNow);
            db.Add(spec);
            return spec;
        }, cancellationToken);
        return written is null ? Problems.NoSuchProject(slug) : TypedResults.Ok(SpecResponse.From(written));
    }
}
