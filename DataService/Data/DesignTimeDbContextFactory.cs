using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace DataService.Data;

/// <summary>Lets <c>dotnet ef migrations add</c> build the model without starting the service or a database.</summary>
internal sealed class DesignTimeDbContextFactory : IDesignTimeDbContextFactory<DataServiceDbContext>
{
    public DataServiceDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<DataServiceDbContext>().UseNpgsql().UseSnakeCaseNamingConvention().Options);
}
