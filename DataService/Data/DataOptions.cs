using DataService.Domain;
using Npgsql;

namespace DataService.Data;

/// <param name="ConnectionString">PostgreSQL, with what the service needs of the driver filled in.</param>
internal sealed record DataOptions(string ConnectionString)
{
    public const string Variable = "ConnectionStrings__DataService";

    /// <summary>Groups of approvals at once that go to the database; further ones wait for milliseconds, and are the next groups.</summary>
    public const int MostSingleStatements = 2;

    /// <summary>Projects at once whose tasks are pushed. GitHub lets about one issue be written in a second, whosever it is.</summary>
    public const int MostProjectLocks = 10;

    /// <summary>
    /// For a session of those: each row is found by its key. For tables that PostgreSQL has not counted yet it would rather read all of them,
    /// and keep to that plan when they have grown.
    /// </summary>
    public const string LookUpByKeys = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off";

    /// <summary>
    /// For connections that only ever carry statements that are a transaction by themselves, and so leave nothing behind in the session: a
    /// reset of it, before each next use, would be a tenth of the work.
    /// </summary>
    public string ForSingleStatements => new NpgsqlConnectionStringBuilder(ConnectionString)
    {
        NoResetOnClose = true,
        MinPoolSize = 0,
        MaxPoolSize = Math.Min(MostSingleStatements, new NpgsqlConnectionStringBuilder(ConnectionString).MaxPoolSize),
    }.ConnectionString;

    /// <summary>
    /// For <see cref="ProjectLock"/>, which holds a session as long as its work takes: in the pool that all share, those who hold locks would
    /// wait for the connections that they keep from each other. It leaves a lock behind where it cannot give it back, so a session is reset.
    /// </summary>
    public string ForProjectLocks => new NpgsqlConnectionStringBuilder(ConnectionString)
    {
        NoResetOnClose = false,
        MinPoolSize = 0,
        MaxPoolSize = Math.Min(MostProjectLocks, new NpgsqlConnectionStringBuilder(ConnectionString).MaxPoolSize),
    }.ConnectionString;

    /// <exception cref="ConfigurationException">The text is no connection string of Npgsql's.</exception>
    public static DataOptions From(string connectionString)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connectionString);
            builder.ApplicationName ??= "DataService";
            // Nothing here leaves settings, locks or temporary tables behind in its session; to discard them would be one more transaction
            // at each use.
            builder.NoResetOnClose = true;
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
