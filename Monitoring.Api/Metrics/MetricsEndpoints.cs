using System.Diagnostics;
using System.Text;
using Monitoring.Api.Http;
using Monitoring.Api.Monitors;
using Monitoring.Api.Security;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;

namespace Monitoring.Api.Metrics;

/// <summary>The route that Prometheus scrapes.</summary>
internal static class MetricsEndpoints
{
    public static void MapMetrics(this WebApplication app)
    {
        app.Services.GetRequiredService<RequestMetrics>(); // measures from the start, not from the first scrape
        app.MapGet("/metrics", GetMetrics).WithName(nameof(GetMetrics)).WithTags("Health").WithParameters().WithMetadata(new NoDatabase(), new AlwaysServed())
            .Produces<string>(200, "text/plain");
    }

    /// <summary>Requests, streams, process, monitors and open events, in the text format of Prometheus. Without a database what it holds is missing and monitoring_database_up is 0.</summary>
    internal static async Task<IResult> GetMetrics(
        RequestMetrics requests, ChangeFeed feed, MonitorReader monitors, SecurityEvents events, SchemaVersions schema, CancellationToken cancellationToken)
    {
        var text = new PrometheusText();
        WriteRequests(text, requests);
        WriteProcess(text, feed);
        try
        {
            var database = new PrometheusText();
            await WriteStoredAsync(database, monitors, events, schema, cancellationToken);
            text.Single("monitoring_database_up", "gauge", "1 while the database answers.", 1);
            return TypedResults.Text($"{text}{database}", PrometheusText.ContentType, Encoding.UTF8);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            text.Single("monitoring_database_up", "gauge", "1 while the database answers.", 0);
            return TypedResults.Text(text.ToString(), PrometheusText.ContentType, Encoding.UTF8);
        }
    }

    private static void WriteRequests(PrometheusText text, RequestMetrics requests)
    {
        const string name = "monitoring_http_request_duration_seconds";
        text.Metric(name, "histogram", "How long requests took until their answer was complete.");
        foreach (var ((method, route, status), durations) in requests.Read())
        {
            var (counts, sum) = durations.Read();
            long total = 0;
            for (var i = 0; i < counts.Length; i++)
                text.Sample($"{name}_bucket", total += counts[i], "method", method, "route", route, "status", status, "le", i < RequestMetrics.Bounds.Count ? $"{RequestMetrics.Bounds[i]}" : "+Inf");
            text.Sample($"{name}_sum", sum, "method", method, "route", route, "status", status);
            text.Sample($"{name}_count", total, "method", method, "route", route, "status", status);
        }
    }

    private static void WriteProcess(PrometheusText text, ChangeFeed feed)
    {
        using var process = Process.GetCurrentProcess();
        text.Single("monitoring_event_streams", "gauge", "Open event streams.", feed.Streams)
            .Single("monitoring_event_feed_up", "gauge", "1 while the changes of events are followed.", feed.IsAvailable ? 1 : 0)
            .Single("process_start_time_seconds", "gauge", "Start of the process, Unix time.", new DateTimeOffset(process.StartTime).ToUnixTimeSeconds())
            .Single("process_cpu_seconds_total", "counter", "Processor time used.", process.TotalProcessorTime.TotalSeconds)
            .Single("process_resident_memory_bytes", "gauge", "Resident memory.", process.WorkingSet64)
            .Single("dotnet_gc_heap_bytes", "gauge", "Managed memory in use.", GC.GetTotalMemory(forceFullCollection: false));
    }

    private static async Task WriteStoredAsync(PrometheusText text, MonitorReader monitors, SecurityEvents events, SchemaVersions schema, CancellationToken cancellationToken)
    {
        text.Single("monitoring_schema_version", "gauge", "Newest migration of the database.", await schema.CurrentAsync(cancellationToken));
        var states = await monitors.ListAsync(hours: 1, cancellationToken);
        text.Metric("monitoring_monitor_fresh", "gauge", "1 while the monitor's last success is recent; 0 means blind or about to be.");
        foreach (var monitor in states)
            text.Sample("monitoring_monitor_fresh", monitor.State == Freshness.Fresh ? 1 : 0, "monitor", monitor.Name);
        text.Metric("monitoring_monitor_last_success_timestamp_seconds", "gauge", "Scheduled time of the last successful check, Unix time; 0 without any.");
        foreach (var monitor in states)
            text.Sample("monitoring_monitor_last_success_timestamp_seconds", monitor.LastSuccessAt?.ToUnixTimeSeconds() ?? 0, "monitor", monitor.Name);
        text.Metric("monitoring_monitor_interval_seconds", "gauge", "Seconds between two checks.");
        foreach (var monitor in states)
            text.Sample("monitoring_monitor_interval_seconds", monitor.IntervalSeconds, "monitor", monitor.Name);
        text.Metric("monitoring_monitor_gaps_last_hour", "gauge", "Scheduled times of the last hour, of checks that must be over, without a successful one.");
        foreach (var monitor in states)
            text.Sample("monitoring_monitor_gaps_last_hour", monitor.Gaps, "monitor", monitor.Name);
        var open = await events.CountOpenAsync(cancellationToken);
        text.Metric("monitoring_open_events", "gauge", "Events that are not resolved.");
        foreach (var severity in Enum.GetValues<Severity>())
            text.Sample("monitoring_open_events", open.FirstOrDefault(count => count.Severity == severity)?.Count ?? 0, "severity", SnakeCase.Of(severity));
    }
}
