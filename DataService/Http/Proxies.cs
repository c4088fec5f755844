using System.Net;
using DataService.Domain;
using Microsoft.AspNetCore.HttpOverrides;

namespace DataService.Http;

internal static class Proxies
{
    private const string Variable = "KNOWN_PROXIES";

    /// <summary>
    /// Believes <c>X-Forwarded-For</c>, <c>-Proto</c> and <c>-Host</c> from the addresses and networks (CIDR) of KNOWN_PROXIES, and
    /// from nobody else: rate limits, redirects and secure cookies rest on them.
    /// </summary>
    /// <exception cref="ConfigurationException">An entry is neither an address nor a network.</exception>
    public static void AddKnownProxies(this WebApplicationBuilder builder)
    {
        var entries = (builder.Configuration[Variable] ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        builder.Services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.KnownIPNetworks.Clear();
            options.KnownProxies.Clear();
            options.ForwardedHeaders = entries is [] ? ForwardedHeaders.None : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
            foreach (var entry in entries)
                Add(options, entry);
        });
        foreach (var entry in entries)
            Add(new ForwardedHeadersOptions(), entry);
    }

    private static void Add(ForwardedHeadersOptions options, string entry)
    {
        if (IPAddress.TryParse(entry, out var address))
            options.KnownProxies.Add(address);
        else if (System.Net.IPNetwork.TryParse(entry, out var network))
            options.KnownIPNetworks.Add(network);
        else
            throw new ConfigurationException(Variable, $"must list addresses or networks such as 10.0.0.0/8; '{entry}' is neither");
    }
}
