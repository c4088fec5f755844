using DataService.Domain;
using Npgsql;

namespace DataService.Data;

/// <param name="ConnectionString">PostgreSQL, with what the service needs of the driver filled in.</param>
internal sealed record DataOptions(string ConnectionString)
{
    public const string Variable = "ConnectionStrings__DataService";

    /// <exception cref="ConfigurationException">The text is no connection string of Npgsql's.</exception>
    public static DataOptions From(string connectionString)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connectionString);
            builder.ApplicationName ??= "DataService";
            return string.IsNullOrWhiteSpace(builder.Host)
                ? throw new ConfigurationException(Variable, "names no Host; expected Host=...;Database=...;Username=...;Password=...")
                : new DataOptions(builder.ConnectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or KeyNotFoundException)
        {
            // The driver's message may repeat a part of the text, and with it the password.
            throw new ConfigurationException(Variable, "is no PostgreSQL connection string; expected Host=...;Database=...;Username=...;Password=...");
        }
    }
}
