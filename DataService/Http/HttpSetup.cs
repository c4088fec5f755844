using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using DataService.Domain;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Serilog;
using Serilog.Events;

namespace DataService.Http;

internal static class HttpSetup
{
    /// <summary>What Prometheus scrapes.</summary>
    public const string Metrics = "/metrics";

    /// <summary>Where the service listens.</summary>
    public const string UrlsVariable = "ASPNETCORE_URLS";

    /// <summary>Whose exception, without a type of its own, says that there is no certificate for HTTPS.</summary>
    private const string Kestrel = "Microsoft.AspNetCore.Server.Kestrel.Core";

    private const string DefaultUrl = "http://localhost:8788";

    /// <summary>Probes, scrapes, and a dashboard that refreshes itself, would drown the rest of the log.</summary>
    private static readonly PathString[] Frequent = ["/health", Metrics, Caller.Dashboard];

    /// <summary>Adds what all endpoints share: authentication, problem details, JSON, CORS, rate limits, OpenAPI.</summary>
    /// <exception cref="ConfigurationException">A variable does not fit.</exception>
    public static void AddHttp(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        if (string.IsNullOrEmpty(builder.Configuration[WebHostDefaults.ServerUrlsKey]))
            builder.WebHost.UseUrls(builder.Configuration[UrlsVariable] is { Length: > 0 } urls ? urls : DefaultUrl);
        RefuseUnfitUrls(builder.Configuration[WebHostDefaults.ServerUrlsKey] ?? "");
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyLimits.Default;
        });

        services.AddSingleton(ApiTokens.From(builder.Configuration, generateWhenMissing: builder.Environment.IsDevelopment()));
        services.AddAuthentication(BearerAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, BearerAuthentication>(BearerAuthentication.SchemeName, null);
        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder(BearerAuthentication.SchemeName)
                .RequireAuthenticatedUser().AddRequirements(new OperatorToChange()).Build());

        services.AddHttpContextAccessor();
        services.AddSingleton<Caller>();
        services.AddSingleton<AuditTrail>();

        services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        services.AddProblemDetails();
        services.AddExceptionHandler<ExceptionProblems>();
        // Lets the exception handler say what is wrong with the request, in every environment.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddValidation();

        builder.AddAllowedOrigins();
        builder.AddKnownProxies();
        builder.AddRateLimits();
        builder.AddApiDescription();
    }

    /// <summary>Starts to listen, and what runs beside it.</summary>
    /// <exception cref="ConfigurationException">Nobody can listen there.</exception>
    public static async Task ListenAsync(this WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or SocketException or InvalidOperationException { Source: Kestrel })
        {
            throw new ConfigurationException(UrlsVariable, $"is where nobody can listen: {exception.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>The pipeline in front of the endpoints.</summary>
    public static void UseHttp(this WebApplication app)
    {
        app.Services.GetRequiredService<ApiTokens>().PrintWhenGenerated();
        app.UseForwardedHeaders();
        app.UseRequestIds();
        app.UseSecurityHeaders();
        app.UseSerilogRequestLogging(logging =>
        {
            // Else the static logger, which all hosts of a process share.
            logging.Logger = app.Services.GetRequiredService<Serilog.ILogger>();
            logging.GetLevel = (context, _, exception) => context.Response.StatusCode switch
            {
                _ when exception is not null => LogEventLevel.Error,
                >= 500 => LogEventLevel.Error,
                < 400 when Array.Exists(Frequent, path => context.Request.Path.StartsWithSegments(path)) => LogEventLevel.Debug,
                _ => LogEventLevel.Information,
            };
        });
        app.UseHeadAsGet();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseRouting();
        app.UseCors();
        app.UseBodyLimits();
        app.UseRateLimits();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseJsonCharset();
    }

    /// <summary>The server itself would say it with its stack, after all else is started.</summary>
    private static void RefuseUnfitUrls(string urls)
    {
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!IsFit(url))
                throw new ConfigurationException(UrlsVariable, $"must be addresses such as {DefaultUrl}, separated by semicolons");
        }

        static bool IsFit(string url)
        {
            try
            {
                return BindingAddress.Parse(url) is { Scheme: "http" or "https", PathBase: "", Port: <= IPEndPoint.MaxPort };
            }
            catch (FormatException)
            {
                return false;
            }
        }
    }
}
