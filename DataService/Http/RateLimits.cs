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

    private const int LoginsPerMinute = 10;

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
        builder.Services.AddSingleton(_ => PartitionedRateLimiter.Create<Share, Share>(share => RateLimitPartition.GetFixedWindowLimiter(
            share,
            _ => new FixedWindowRateLimiterOptions { PermitLimit = share.Policy is Login ? LoginsPerMinute : publicPerMinute, Window = TimeSpan.FromMinutes(1) })));
    }

    /// <summary>
    /// Counts what endpoints ask for with <c>RequireRateLimiting</c>. The framework's own middleware makes a limiter that nothing ends: its timer
    /// would keep a host that was stopped, and all that it is made of, for as long as the process lives.
    /// </summary>
    public static void UseRateLimits(this WebApplication app)
    {
        var limiter = app.Services.GetRequiredService<PartitionedRateLimiter<Share>>();
        app.Use(async (context, next) =>
        {
            if (context.GetEndpoint()?.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName is not { } policy)
            {
                await next(context);
                return;
            }

            using var lease = limiter.AttemptAcquire(new Share(policy, Client(context.Connection.RemoteIpAddress)));
            if (lease.IsAcquired)
                await next(context);
            else
                await RefuseAsync(context, lease);
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

    private static async Task RefuseAsync(HttpContext context, RateLimitLease lease)
    {
        var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromMinutes(1);
        var seconds = (int)Math.Ceiling(wait.TotalSeconds);
        context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        await context.RequestServices.GetRequiredService<IProblemDetailsService>().TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = Problems.Details(ErrorCode.RateLimited, $"Too many requests. Try again in {seconds} s."),
        });
    }

    /// <summary>What one client may do of one kind.</summary>
    private readonly record struct Share(string Policy, string Client);
}
