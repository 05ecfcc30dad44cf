using System.Net;
using Microsoft.AspNetCore.StaticFiles.Infrastructure;
using Microsoft.Extensions.FileProviders;
using Monitoring.Api.Badges;
using Monitoring.Api.Dashboard;
using Monitoring.Api.Health;
using Monitoring.Api.Http;
using Monitoring.Api.Metrics;
using Monitoring.Api.Monitors;
using Monitoring.Api.Security;
using Monitoring.Api.Venues;
using Monitoring.Data.Database;
using Monitoring.Data.Logging;

namespace Monitoring.Api;

/// <summary>Puts the read service together.</summary>
internal static class ApiHost
{
    private const int CommandTimeoutSeconds = 5;

    /// <summary>Builds the service for these options; nothing listens before it is started. The page's files are those in <paramref name="pageFolder"/>.</summary>
    public static WebApplication Build(ApiOptions options, TimeProvider clock, string pageFolder, Action<ILoggingBuilder>? configureLogging = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "Monitoring.Api" });
        builder.Logging.ClearProviders().AddFilter("Microsoft", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning);
        (configureLogging ?? OperatorConsole.AddOperatorConsole)(builder.Logging);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(options.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(options.Host), options.Port);
        });

        options.Database.Connection!.CommandTimeout = CommandTimeoutSeconds;
        var services = builder.Services;
        services.AddMonitoringData(options.Database);
        services.AddSingleton(clock).AddSingleton<HlpVaultReader>().AddSingleton<OracleReader>().AddSingleton<LiquidationReader>().AddSingleton<MonitorReader>().AddSingleton<EvidenceReader>();
        services.AddSingleton<ChangeFeed>().AddHostedService(provider => provider.GetRequiredService<ChangeFeed>()).AddSingleton<RequestMetrics>();
        services.ConfigureHttpJsonOptions(json => Json.Configure(json.SerializerOptions));
        services.AddProblemDetails().AddExceptionHandler<FaultHandler>().AddCompression().AddOpenApiDocument();

        var app = builder.Build();
        app.UseResponseCompression();
        app.UseEntityTags();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UsePage(pageFolder);
        app.MapHealth();
        app.MapHlpVault();
        app.MapHlpVaultInventory();
        app.MapHlpVaultHoldings();
        app.MapOracleDeviations();
        app.MapLiquidations();
        app.MapSecurityEvents();
        app.MapEventStream();
        app.MapMonitors();
        app.MapDashboard();
        app.MapBadges();
        app.MapMetrics();
        app.MapOpenApi();
        return app;
    }

    private static void UsePage(this WebApplication app, string folder)
    {
        app.Use((context, next) =>
        {
            var headers = context.Response.Headers;
            headers.ContentSecurityPolicy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            return next(context);
        });
        var files = new SharedOptions { FileProvider = new PhysicalFileProvider(folder) };
        app.UseDefaultFiles(new DefaultFilesOptions(files));
        app.UseStaticFiles(new StaticFileOptions(files));
    }
}
