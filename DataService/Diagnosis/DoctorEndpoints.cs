using Microsoft.AspNetCore.Http.HttpResults;

namespace DataService.Diagnosis;

internal static class DoctorEndpoints
{
    public static void AddDoctor(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Doctor>();
        builder.Services.AddScoped<DatabaseChecks>();
        builder.Services.AddScoped<GitHubChecks>();
    }

    public static void MapDoctor(this IEndpointRouteBuilder app) => app.MapGet("/doctor", ExamineAsync).WithTags("Health").WithName("examine")
        .WithSummary("Check database, jobs, token, organisation and clocks, each with the cure")
        .WithDescription(
            "Always 200, whatever is found: status has the worst of the checks. Only reads. Asked again within half a minute, it tells of GitHub what it found before; of the database always what is now. "
            + "Inside the container, DataService doctor does the same without a running service.");

    private static async Task<Ok<DoctorResponse>> ExamineAsync(Doctor doctor, CancellationToken cancellationToken) =>
        TypedResults.Ok(await doctor.LatestAsync(cancellationToken));
}
