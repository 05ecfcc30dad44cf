using System.Text.Json.Serialization;
using Monitoring.Api.Http;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;

namespace Monitoring.Api.Monitors;

/// <summary>Neighbouring grid times without a success in time: <c>count</c> of them from <c>from</c> up to, but without, <c>until</c>.</summary>
public sealed record GapSpanView(DateTimeOffset From, DateTimeOffset Until, long Count, GapReason Reason);

/// <summary>A monitor: how current it is, and its runs within the window asked for. Gaps are grid times without a successful check, as far back
/// as the ledger is kept and without the check that may still be at work; durations in ms.
/// <c>gap_spans</c> are the newest twenty, with why; those of <c>database_away</c> and <c>late</c> have their data by now and do not count as gaps.</summary>
public sealed record MonitorView(
    string Name, int IntervalSeconds, Freshness State, DateTimeOffset? LastSuccessAt, double? AgeSeconds, string? LastError, DateTimeOffset? LastErrorAt,
    long Runs, long Failures, long Gaps,
    [property: JsonPropertyName("p50_ms")] double? P50Ms, [property: JsonPropertyName("p99_ms")] double? P99Ms,
    IReadOnlyList<GapSpanView> GapSpans);

/// <summary>All monitors.</summary>
public sealed record MonitorPage(IReadOnlyList<MonitorView> Monitors) : Page<MonitorView>(Monitors, null);

/// <summary>Puts a monitor's registration and its ledger together.</summary>
internal sealed class MonitorReader(MonitorTable monitors, CheckRuns runs, DayPartitions partitions, TimeProvider clock)
{
    /// <summary>The ledger's table.</summary>
    public const string Ledger = "check_runs";

    private const int MaxSpans = 20;

    /// <summary>Every registered monitor by name, with its runs of the last hours.</summary>
    public async Task<IReadOnlyList<MonitorView>> ListAsync(int hours, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var since = Later(now.AddHours(-hours), await partitions.FindOldestDayAsync(Ledger, cancellationToken));
        var latest = (await runs.ListLatestAsync(cancellationToken)).ToDictionary(run => run.Monitor);
        var views = new List<MonitorView>();
        foreach (var monitor in await monitors.ListAsync(cancellationToken))
        {
            // Its present interval may be younger than the window: runs before that were on another grid.
            var from = Later(since, monitor.IntervalSince);
            var over = now - monitor.Deadline;
            var summary = await runs.SummariseAsync(monitor.Monitor, from, now, over, cancellationToken);
            var spans = await runs.ListGapsAsync(monitor.Monitor, monitor.Grid.Interval, monitor.NextGridTime(from),
                monitor.NextGridTime(over), MaxSpans, cancellationToken);
            var last = latest.GetValueOrDefault(monitor.Monitor);
            views.Add(new MonitorView(monitor.Monitor, monitor.IntervalSeconds, MonitorFreshness.Judge(monitor.Grid.Interval, now - last?.LastSuccessAt), last?.LastSuccessAt,
                last?.LastSuccessAt is { } success ? Math.Round((now - success).TotalSeconds, 1) : null, last?.LastError, last?.LastErrorAt,
                summary.Runs, summary.Failures, Math.Max(0, monitor.CountGridTimes(from, over) - summary.GridSuccesses), Round(summary.P50Ms), Round(summary.P99Ms),
                [.. spans.Select(span => new GapSpanView(span.FromAt, span.UntilAt, span.Count, span.Reason))]));
        }

        return views;
    }

    /// <summary>How often a monitor had no success on its grid since a moment: as far back as its ledger is kept, without the check that may still be at work.</summary>
    public async Task<long> CountGapsAsync(string monitor, DateTimeOffset since, CancellationToken cancellationToken)
    {
        if ((await monitors.ListAsync(cancellationToken)).FirstOrDefault(registered => registered.Monitor == monitor) is not { } found)
            return 0;
        var from = Later(Later(since, found.IntervalSince), await partitions.FindOldestDayAsync(Ledger, cancellationToken));
        var over = clock.GetUtcNow() - found.Deadline;
        return Math.Max(0, found.CountGridTimes(from, over) - (await runs.SummariseAsync(monitor, from, over, over, cancellationToken)).GridSuccesses);
    }

    /// <summary>How current one monitor is, or null when nobody runs it.</summary>
    public async Task<Freshness?> FindStateAsync(string monitor, CancellationToken cancellationToken)
    {
        if ((await monitors.ListAsync(cancellationToken)).FirstOrDefault(registered => registered.Monitor == monitor) is not { } found)
            return null;
        var last = (await runs.ListLatestAsync(cancellationToken)).FirstOrDefault(run => run.Monitor == monitor)?.LastSuccessAt;
        return MonitorFreshness.Judge(found.Grid.Interval, clock.GetUtcNow() - last);
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset? b) => b > a ? b.Value : a;

    private static double? Round(double? milliseconds) => milliseconds is { } value ? Math.Round(value, 1) : null;
}

/// <summary>The route of the monitors.</summary>
internal static class MonitorEndpoints
{
    private static readonly WholeParameter Hours = new("hours", 1, 168, 24, "Count runs, failures and gaps of the last so many hours.");

    public static void MapMonitors(this IEndpointRouteBuilder routes) =>
        PageResult<MonitorPage, MonitorView>.Describe(
            routes.MapGet("/security/monitors", ListMonitors).WithName(nameof(ListMonitors)).WithTags("Monitors").WithParameters(Hours));

    /// <summary>Every monitor: how current its data is, and its runs, failures and gaps.</summary>
    internal static async Task<IResult> ListMonitors(HttpRequest request, MonitorReader monitors, CancellationToken cancellationToken) =>
        new PageResult<MonitorPage, MonitorView>(new MonitorPage(await monitors.ListAsync(Hours.Read(request), cancellationToken)));
}
