using DataService.Data;
using DataService.Tests.Support;

namespace DataService.Tests.Conventions;

public sealed class ContainerTests(PostgresCluster cluster)
{
    [Fact]
    public async Task Every_service_of_ours_can_be_resolved()
    {
        List<ServiceDescriptor> ours = [];
        await using var service = await RunningService.StartAsync(cluster, replace: services => ours.AddRange(
            services.Where(descriptor => descriptor is { IsKeyedService: false, ServiceType.ContainsGenericParameters: false }
                && descriptor.ServiceType.Assembly == typeof(DataServiceDbContext).Assembly)));
        await using var scope = service.Services.CreateAsyncScope();

        Assert.True(ours.Count > 10, "Too few of our services were found for this to mean anything.");
        Assert.All(ours, descriptor => Assert.NotNull(scope.ServiceProvider.GetRequiredService(descriptor.ServiceType)));
    }
}
