using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.StaticFiles.Infrastructure;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;
using Monitoring.Api.Badges;
using Monitoring.Api.Access;
using Monitoring.Api.Dashboard;
using Monitoring.Api.Health;
using Monitoring.Api.Http;
using Monitoring.Api.Metrics;
using Monitoring.Api.Monitors;
using Monitoring.Api.Runbook;
using Monitoring.Api.Security;
using Monitoring.Api.Subjects;
using Monitoring.Api.Venues;
using Monitoring.Api.Workers;
using Monitoring.Data.Database;
using Monitoring.Data.Logging;
using Monitoring.Data.Supervision;
using Monitoring.Data.Workers;
using Npgsql;
using JsonOptions = Microsoft.AspNetCore.Http.Json.JsonOptions;

namespace Monitoring.Api;

/// <summary>Puts the read service together.</summary>
internal static class ApiHost
{
    // Everything that is known of a subject here.
    private static readonly ISubjectApi[] Subjects = [new VenuesApi()];

    private const int StatementSeconds = 5;
    private const string DocsPath = "/docs";
    private const int MaxBodyBytes = 64 * 1024;
    private const int MaxHeaderBytes = 16 * 1024;
    private const int MaxWaitingBytes = 32 * 1024; // of an answer, for a client that does not read
    private static readonly MinDataRate SlowestAnswer = new(bytesPerSecond: 2048, gracePeriod: TimeSpan.FromSeconds(10));

    /// <summary>
    /// Builds the service for these options; nothing listens before it is started. The page's files are those in
    /// <paramref name="pageFolder"/>.
    /// </summary>
    public static WebApplication Build(
        ApiOptions options, TimeProvider clock, string pageFolder, Action<ILoggingBuilder>? configureLogging = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = "Monitoring.Api" });
        builder.Logging.ClearProviders().AddFilter("Microsoft", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning);
        (configureLogging ?? OperatorConsole.AddOperatorConsole)(builder.Logging);
        var connections = new ConnectionLimits(ConnectionLimits.Most, ConnectionLimits.MostPerAddress, options.Access.TrustedProxies);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(65); // longer than proxies keep theirs, or they would meet a closed one
            kestrel.Limits.MinResponseDataRate = SlowestAnswer;
            kestrel.Limits.MaxResponseBufferSize = MaxWaitingBytes;
            kestrel.Listen(options.Address, options.Port, listen => listen.Use(connections.Guard));
        });

        LimitTimes(options.Database.Connection!);
        var services = builder.Services;
        services.AddMonitoringData(options.Database with { StatementTimeout = TimeSpan.FromSeconds(StatementSeconds) });
        services.AddSingleton(clock).AddSingleton<MonitorReader>().AddSingleton<EvidenceReader>().AddSingleton<IEvidenceSource,
            LedgerEvidence>();
        // That the database cannot be used is said by DatabaseOutage.
        services.AddSingleton(provider => new Supervisor(clock, provider.GetRequiredService<ILogger<Supervisor>>(), DatabaseFaults.Covers));
        services.AddSingleton<WriteTrial>().AddSingleton<WorkerReader>().AddSingleton<RunbookPage>();
        services.AddSingleton<DashboardReader>().AddSingleton<IConfigureOptions<JsonOptions>, DashboardJson>().AddSingleton<Examples>();
        foreach (var subject in Subjects)
        {
            services.AddSingleton(subject);
            subject.AddServices(services);
        }

        services.AddSingleton<ChangeFeed>().AddHostedService(provider => provider.GetRequiredService<ChangeFeed>()).AddServiceMetrics();
        services.AddSingleton(connections).AddSingleton<StreamPlaces>().AddRequestBounds();
        services.AddAccess(options.Access).AddLoadShedding().AddSingleton<DatabaseOutage>();
        services.ConfigureHttpJsonOptions(json => Json.Configure(json.SerializerOptions));
        services.AddProblemDetails().AddExceptionHandler<FaultHandler>().AddCompression().AddOpenApiDocument();

        var app = builder.Build();
        app.UseHead();
        app.UseRouting();
        app.UseConnectionLimits(connections);
        app.UseRequestLabels();
        app.UseTrustedProxies(options.Access);
        app.UseSecurityHeaders(options.Access.Auth);
        app.UseResponseCompression();
        app.UseEntityTags();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseAccess();
        app.UseWholeBodies();
        app.UseLoadShedding();
        app.UsePage(pageFolder);
        app.MapHealth();
        foreach (var subject in Subjects)
            subject.MapRoutes(app);
        app.MapSecurityEvents();
        app.MapEventStream();
        app.MapOperatorActions();
        app.MapSilences();
        app.MapMonitors();
        app.MapRules();
        app.MapRunbook();
        app.MapDashboard();
        app.MapBadges();
        app.MapMetrics();
        app.MapOpenApi();
        return app;
    }

    private static void UsePage(this WebApplication app, string folder)
    {
        // Relative, because a proxy may show the page below a path that nothing here knows of.
        app.Use((context, next) =>
        {
            if (context.Request.Path != DocsPath)
                return next(context);
            (context.Response.StatusCode, context.Response.Headers.Location) = (StatusCodes.Status301MovedPermanently, "docs/");
            return Task.CompletedTask;
        });
        var files = new SharedOptions { FileProvider = new PhysicalFileProvider(folder) };
        app.UseDefaultFiles(new DefaultFilesOptions(files));
        app.UseStaticFiles(new StaticFileOptions(files));
    }

    // A statement that takes longer than anybody waits for an answer ends, in the server too, and so does the wait for a connection.
    private static void LimitTimes(NpgsqlConnectionStringBuilder connection)
    {
        connection.CommandTimeout = StatementSeconds;
        connection.Timeout = Math.Min(connection.Timeout, StatementSeconds);
    }
}
