using System.Reflection;
using Serilog;
using Serilog.Formatting.Compact;
using Serilog.Settings.Configuration;

namespace DataService.Http;

internal static class Logging
{
    /// <summary>
    /// Serilog on the console: one JSON object a line in Production and Staging, readable lines in Development. Each bears the trace that it
    /// belongs to; in JSON as <c>@tr</c> and <c>@sp</c>. Levels stand in the settings.
    /// </summary>
    public static void AddLogging(this WebApplicationBuilder builder) => builder.Services.AddSerilog((services, logger) =>
    {
        // Left to itself it opens each assembly in the folder to look for sinks that the settings name.
        var named = builder.Configuration.GetSection("Serilog:Using").GetChildren().Select(assembly => Assembly.Load(assembly.Value!));
        var known = new ConfigurationReaderOptions([typeof(ConsoleLoggerConfigurationExtensions).Assembly, typeof(FileLoggerConfigurationExtensions).Assembly, .. named]);
        logger.ReadFrom.Configuration(builder.Configuration, known).ReadFrom.Services(services).Enrich.FromLogContext();
        if (builder.Environment.IsDevelopment())
            logger.WriteTo.Console(outputTemplate: "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj} {RequestId} {TraceId}{NewLine}{Exception}", formatProvider: System.Globalization.CultureInfo.InvariantCulture);
        else
            logger.WriteTo.Console(new RenderedCompactJsonFormatter());
    }, preserveStaticLogger: true);
}
