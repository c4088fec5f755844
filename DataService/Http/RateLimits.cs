using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using DataService.Domain;
using Microsoft.AspNetCore.RateLimiting;

namespace DataService.Http;

internal static class RateLimits
{
    /// <summary>For the dashboard's login: ten attempts a minute and client.</summary>
    public const string Login = "login";

    /// <summary>For what needs no token, all of it together: as many calls a minute and client as the setting allows.</summary>
    public const string Public = "public";

    private const int DefaultPublicPerMinute = 60;

    /// <exception cref="ConfigurationException">The setting is no number that fits.</exception>
    public static void AddRateLimits(this WebApplicationBuilder builder)
    {
        var publicPerMinute = builder.Configuration["RateLimits:PublicPerMinute"] switch
        {
            null or "" => DefaultPublicPerMinute,
            { } text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var calls)
                && calls is >= 1 and <= 100_000 => calls,
            _ => throw new ConfigurationException("RateLimits__PublicPerMinute", "must be a whole number from 1 to 100000"),
        };
        builder.Services.AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.AddPolicy(Login, context => PerMinute(context, 10));
            limiter.AddPolicy(Public, context => PerMinute(context, publicPerMinute));
            limiter.OnRejected = RefuseAsync;
        });
    }

    /// <summary>Who counts as one client: an address of IPv4, or a network of IPv6 as one household gets it (/64), all addresses its own.</summary>
    private static string Client(IPAddress? address) => address switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => Convert.ToHexStringLower(address.GetAddressBytes().AsSpan(0, 8)),
        _ => address.ToString(),
    };

    private static RateLimitPartition<string> PerMinute(HttpContext context, int calls) => RateLimitPartition.GetFixedWindowLimiter(
        Client(context.Connection.RemoteIpAddress),
        _ => new FixedWindowRateLimiterOptions { PermitLimit = calls, Window = TimeSpan.FromMinutes(1) });

    private static async ValueTask RefuseAsync(OnRejectedContext context, CancellationToken cancellationToken)
    {
        var wait = context.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromMinutes(1);
        var seconds = (int)Math.Ceiling(wait.TotalSeconds);
        context.HttpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        await context.HttpContext.RequestServices.GetRequiredService<IProblemDetailsService>().TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context.HttpContext,
            ProblemDetails = Problems.Details(ErrorCode.RateLimited, $"Too many requests. Try again in {seconds} s."),
        });
    }
}
