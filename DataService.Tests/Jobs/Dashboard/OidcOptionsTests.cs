using DataService.Domain;
using DataService.Jobs.Dashboard;
using Microsoft.Extensions.Configuration;

namespace DataService.Tests.Jobs.Dashboard;

public sealed class OidcOptionsTests
{
    private const string Secret = "hunter2-hunter2-hunter2";

    [Fact]
    public void Nothing_configured_is_no_provider() => Assert.Null(From([("Authority", ""), ("ClientId", " "), ("RoleClaim", "roles")]));

    [Fact]
    public void Authority_and_client_id_are_enough()
    {
        var options = From([("Authority", "https://login.example.com/realms/agency"), ("ClientId", "dataservice")])!;

        Assert.Equal(("roles", "dataservice-operator", "dataservice-viewer"), (options.RoleClaim, options.OperatorRole, options.ViewerRole));
        Assert.Null(options.ClientSecret);
    }

    [Theory]
    [InlineData("Authority", null)]
    [InlineData("Authority", "login.example.com")]
    [InlineData("Authority", "http://login.example.com")]
    [InlineData("Authority", "ftp://login.example.com")]
    [InlineData("Authority", "https://login.example.com?x=1")]
    [InlineData("Authority", $"https://user:{Secret}@login.example.com")]
    [InlineData("ClientId", null)]
    [InlineData("ViewerRole", "dataservice-operator")]
    public void A_missing_or_wrong_value_is_named(string name, string? value)
    {
        var exception = Assert.Throws<ConfigurationException>(
            () => From([("Authority", "https://login.example.com"), ("ClientId", "dataservice"), ("ClientSecret", Secret), (name, value)]));

        Assert.StartsWith($"Authentication__Oidc__{name} ", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Development_takes_a_provider_without_TLS() =>
        Assert.NotNull(From([("Authority", "http://localhost:8080"), ("ClientId", "dataservice")], allowHttp: true));

    [Fact]
    public void A_secret_alone_is_half_a_configuration()
    {
        var exception = Assert.Throws<ConfigurationException>(() => From([("ClientSecret", Secret)]));

        Assert.StartsWith("Authentication__Oidc__Authority ", exception.Message, StringComparison.Ordinal);
    }

    private static OidcOptions? From((string Name, string? Value)[] values, bool allowHttp = false)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection().Build();
        foreach (var (name, value) in values)
            configuration[$"Authentication:Oidc:{name}"] = value;
        return OidcOptions.From(configuration, allowHttp);
    }
}
