using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DataService.Tests.Support;

namespace DataService.Tests.Http;

/// <summary>Where no proxy ends TLS, the service does, by the settings of its web server.</summary>
public sealed class HttpsTests(PostgresCluster cluster) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dataservice-https-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task With_a_certificate_it_serves_https()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=dataservice.test", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var file = Path.Combine(_folder, "certificate.pfx");
        await File.WriteAllBytesAsync(file, certificate.Export(X509ContentType.Pfx), TestContext.Current.CancellationToken);
        await using var service = await RunningService.StartAsync(
            cluster, new() { ["urls"] = "https://127.0.0.1:0", ["Kestrel:Certificates:Default:Path"] = file });
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, given, _, _) => given?.GetCertHashString() == certificate.GetCertHashString() },
        });

        using var live = await http.GetAsync(new Uri(service.Address, "/health/live"), TestContext.Current.CancellationToken);

        Assert.Equal("https", service.Address.Scheme);
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
    }

    [Fact]
    public async Task Without_one_it_says_so_in_one_line_and_exits_with_1()
    {
        await using var service = ServiceProcess.Start(new()
        {
            ["ConnectionStrings__DataService"] = await cluster.CreateEmptyDatabaseAsync(),
            ["API_TOKEN"] = RunningService.ApiToken,
            ["ASPNETCORE_URLS"] = "https://127.0.0.1:0",
            // A developer's certificate would do, too.
            ["HOME"] = _folder,
        });

        Assert.Equal(1, await service.ExitCodeAsync());

        Assert.StartsWith("ASPNETCORE_URLS is where nobody can listen: Unable to configure HTTPS", service.Error, StringComparison.Ordinal);
        Assert.Single(service.Error.TrimEnd().Split('\n'));
    }
}
