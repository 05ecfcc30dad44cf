using System.Diagnostics;
using System.Diagnostics.Metrics;
using Monitoring.Api.Monitors;
using Monitoring.Api.Security;
using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Data.Database;
using Monitoring.Data.Events;

namespace Monitoring.Api.Metrics;

/// <summary>
/// The gauges of this service: its streams, its process, and what the database holds. Without a database the latter are missing.
/// </summary>
internal sealed class ServiceMetrics
{
    public const string MeterName = "Monitoring.Api";

    private volatile StoredFigures? _stored;

    public ServiceMetrics(IMeterFactory meters, ChangeFeed feed, UnreadableRows unreadable)
    {
        var meter = meters.Create(MeterName);
        Gauge("monitoring_event_streams", "Open event streams.", () => feed.Streams);
        Gauge("monitoring_event_feed_up", "1 while the changes of events are followed.", () => feed.IsAvailable ? 1 : 0);
        Gauge("monitoring_unreadable_rows", "Stored rows that were left out of answers because they cannot be read; the log names them.",
            () => unreadable.Known.Count);
        Gauge("process_start_time_seconds", "Start of the process, Unix time.", () =>
            OfProcess(own => new DateTimeOffset(own.StartTime).ToUnixTimeSeconds()));
        meter.CreateObservableCounter(
            "process_cpu_seconds_total", () => OfProcess(own => own.TotalProcessorTime.TotalSeconds), description: "Processor time used.");
        Gauge("process_resident_memory_bytes", "Resident memory.", () => OfProcess(own => own.WorkingSet64));
        Gauge("dotnet_gc_heap_bytes", "Managed memory in use.", () => GC.GetTotalMemory(forceFullCollection: false));

        Gauge("monitoring_database_up", "1 while the database answers.", () => _stored is null ? 0 : 1);
        Gauges("monitoring_schema_version", "Newest migration of the database.", stored => [new(stored.SchemaVersion)]);
        OfMonitors("monitoring_monitor_fresh", "1 while the monitor's last success is recent; 0 means blind or about to be.",
            monitor => monitor.State == Freshness.Fresh ? 1 : 0);
        OfMonitors("monitoring_monitor_last_success_timestamp_seconds",
            "Scheduled time of the last successful check, Unix time; 0 without any.",
            monitor => monitor.LastSuccessAt?.ToUnixTimeSeconds() ?? 0);
        OfMonitors("monitoring_monitor_interval_seconds", "Seconds between two checks.", monitor => monitor.IntervalSeconds);
        OfMonitors("monitoring_monitor_gaps_last_hour",
            "Scheduled times of the last hour, of checks that must be over, without a successful one.",
            monitor => monitor.Gaps);
        Gauges("monitoring_worker_pulse_age_seconds",
            "Seconds since the newest pulse of any worker, by the database's clock; it is written every 5 s.",
            stored => stored.Workers.Workers.AgeSeconds is { } age ? [new(age)] : []);
        Gauges("monitoring_database_takes_writes", "0 while no worker reports and none could write: then the pulse's age says nothing.",
            stored => [new(stored.Workers.TakesWrites ? 1 : 0)]);
        Gauges("monitoring_open_events", "Events that are not resolved.", stored =>
            Enum.GetValues<Severity>().Select(severity => new Measurement<double>(
            stored.OpenEvents.FirstOrDefault(count => count.Severity == severity)?.Count ?? 0, new KeyValuePair<string,
                object?>("severity", SnakeCase.Of(severity)))));

        void Gauge(string name, string help, Func<double> value) => meter.CreateObservableGauge(name, value, description: help);

        void Gauges(string name, string help, Func<StoredFigures, IEnumerable<Measurement<double>>> values) =>
            meter.CreateObservableGauge(name, () => _stored is { } stored ? values(stored) : [], description: help);

        void OfMonitors(string name, string help, Func<MonitorView, double> value) => Gauges(name, help, stored => stored.Monitors.Select(
            monitor => new Measurement<double>(value(monitor), new KeyValuePair<string, object?>("monitor", monitor.Name))));
    }

    /// <summary>What the next collection shows of the database; null while that does not answer.</summary>
    public void Show(StoredFigures? stored) => _stored = stored;

    private static double OfProcess(Func<Process, double> value)
    {
        using var own = Process.GetCurrentProcess();
        return value(own);
    }
}
