using DataService.Domain;

namespace DataService.Http;

/// <summary>One version of a spec as the REST contract shows it, alone and in the client's view.</summary>
internal sealed record SpecResponse(Guid Id, Guid ProjectId, string ContentMarkdown, int Version, DateTime CreatedAt) : IWithExample
{
    public static object Example => new SpecResponse(
        Guid.Parse("01997a2e-0000-7000-8000-000000000002"), Guid.Parse("01997a2e-0000-7000-8000-000000000001"), "# Acme Shop", 1,
        new DateTime(2026, 1, 5, 9, 30, 0, DateTimeKind.Utc));

    public static SpecResponse From(Spec spec) => new(spec.Id, spec.ProjectId, spec.ContentMarkdown, spec.Version, spec.CreatedAt);
}
