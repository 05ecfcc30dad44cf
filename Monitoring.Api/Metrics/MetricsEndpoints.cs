using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Metadata;
using Monitoring.Api.Http;
using OpenTelemetry.Metrics;

namespace Monitoring.Api.Metrics;

/// <summary>The route that Prometheus scrapes.</summary>
internal static class MetricsEndpoints
{
    private const string HostingMeter = "Microsoft.AspNetCore.Hosting";

    private const string Summary = "Requests, streams, process, monitors and open events, in the text format of Prometheus. "
        + "Without a database what it holds is missing and monitoring_database_up is 0.";

    // The labels that are published, which the framework calls otherwise.
    private static readonly string[] Labels = ["method", "route", "status"];

    private static readonly HashSet<string> Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

    // Seconds; the default ones are milliseconds.
    private static readonly double[] Bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    public static IServiceCollection AddServiceMetrics(this IServiceCollection services)
    {
        services.AddSingleton<StoredMetrics>().AddSingleton<ServiceMetrics>();
        services.ConfigureOpenTelemetryMeterProvider((provider, metrics) => metrics.AddMeter(HostingMeter, ServiceMetrics.MeterName)
            .AddView(instrument => Choose(instrument, provider.GetRequiredService<IMeterFactory>())));
        services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddPrometheusExporter(exporter =>
        {
            exporter.ScrapeResponseCacheDurationMilliseconds = 0; // what is scraped is of now
            exporter.ScopeInfoEnabled = false;
            exporter.TargetInfoEnabled = false;
        }));
        return services;
    }

    /// <summary>
    /// Labels the duration that the framework measures of each request. Comes first, because who answers a fault forgets the endpoint.
    /// </summary>
    public static void UseRequestLabels(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        var route = context.GetEndpoint()?.Metadata.GetMetadata<IRouteDiagnosticsMetadata>()?.Route;
        try
        {
            await next(context);
        }
        finally
        {
            if (context.Features.Get<IHttpMetricsTagsFeature>()?.Tags is { } tags)
            {
                tags.Add(new("method", Methods.Contains(context.Request.Method) ? context.Request.Method : "_OTHER"));
                tags.Add(new("route", route ?? ""));
                tags.Add(new("status", $"{context.Response.StatusCode}"));
            }
        }
    });

    public static void MapMetrics(this WebApplication app)
    {
        app.Services.GetRequiredService<ServiceMetrics>(); // measures from the start, not from the first scrape
        var scrape = ((IApplicationBuilder)app).New().UseOpenTelemetryPrometheusScrapingEndpoint(_ => true).Build();
        app.MapGet("/metrics", (HttpContext context, ServiceMetrics metrics, StoredMetrics stored) =>
            GetMetrics(context, metrics, stored, scrape))
            .WithName(nameof(GetMetrics)).WithSummary(Summary).WithTags("Health").WithParameters().WithMetadata(new NoDatabase(),
                new AlwaysServed())
            .Produces<string>(200, "text/plain");
    }

    private static async Task GetMetrics(HttpContext context, ServiceMetrics metrics, StoredMetrics stored, RequestDelegate scrape)
    {
        metrics.Show(await stored.FindAsync(context.RequestAborted));
        await scrape(context);
    }

    // Of this service alone: several may live in one process.
    private static MetricStreamConfiguration? Choose(Instrument instrument, IMeterFactory own) =>
        !ReferenceEquals(instrument.Meter.Scope, own) ? MetricStreamConfiguration.Drop
        : instrument.Meter.Name == ServiceMetrics.MeterName ? null
        : instrument.Name != "http.server.request.duration" ? MetricStreamConfiguration.Drop
        : new ExplicitBucketHistogramConfiguration { Name = "monitoring.http.request.duration", TagKeys = Labels, Boundaries = Bounds };
}
