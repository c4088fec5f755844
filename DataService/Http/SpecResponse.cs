using DataService.Domain;

namespace DataService.Http;

/// <summary>One version of a spec as the REST contract shows it, alone and in the client's view.</summary>
internal sealed record SpecResponse(Guid Id, Guid ProjectId, string ContentMarkdown, int Version, DateTime CreatedAt)
{
    public static SpecResponse From(Spec spec) => new(spec.Id, spec.ProjectId, spec.ContentMarkdown, spec.Version, spec.CreatedAt);
}
