using DataService.Domain;

namespace DataService.Http;

internal static class Cors
{
    private const string Variable = "ALLOWED_ORIGINS";

    private static readonly string[] DevelopmentOrigins = ["http://localhost:3000", "http://localhost:5173", "http://127.0.0.1:5173"];

    /// <exception cref="ConfigurationException">An entry of ALLOWED_ORIGINS is no origin.</exception>
    public static void AddAllowedOrigins(this WebApplicationBuilder builder)
    {
        var origins = Origins(builder.Configuration[Variable], builder.Environment.IsDevelopment());
        builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins(origins)
            .WithMethods("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
            .WithHeaders("Content-Type", "Authorization", "X-Requested-With")
            .WithExposedHeaders(RequestIds.Header)
            .AllowCredentials()
            .SetPreflightMaxAge(TimeSpan.FromSeconds(86_400))));
    }

    private static string[] Origins(string? configured, bool development)
    {
        var origins = (configured ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var origin in origins)
        {
            if (!Uri.TryCreate(origin, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || !url.GetLeftPart(UriPartial.Authority).Equals(origin, StringComparison.OrdinalIgnoreCase))
                throw new ConfigurationException(Variable, $"must list origins such as https://app.example.com, without a path; '{origin}' is none");
        }

        return origins is [] && development ? DevelopmentOrigins : origins;
    }
}
