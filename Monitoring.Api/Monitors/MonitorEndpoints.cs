using System.Text.Json.Serialization;
using Monitoring.Api.Http;
using Monitoring.Data.Checks;

namespace Monitoring.Api.Monitors;

/// <summary>
/// Neighbouring grid times without a success in time: <c>count</c> of them from <c>from</c> up to, but without, <c>until</c>.
/// </summary>
public sealed record GapSpanView(DateTimeOffset From, DateTimeOffset Until, long Count, GapReason Reason);

/// <summary>
/// A monitor: how current it is, and its runs within the window asked for. Gaps are grid times without a successful
/// check, as far back as the ledger is kept and without the check that may still be at work; durations in ms.
/// <c>gap_spans</c> are the newest twenty, with why; those of <c>database_away</c> and <c>late</c> have their data by
/// now and do not count as gaps.
/// </summary>
public sealed record MonitorView(
    string Name, int IntervalSeconds, Freshness State, DateTimeOffset? LastSuccessAt, double? AgeSeconds, string? LastError,
    DateTimeOffset? LastErrorAt, long Runs, long Failures, long Gaps, [property: JsonPropertyName("p50_ms")] double? P50Ms,
    [property: JsonPropertyName("p99_ms")] double? P99Ms, IReadOnlyList<GapSpanView> GapSpans);

/// <summary>All monitors.</summary>
public sealed record MonitorPage(IReadOnlyList<MonitorView> Monitors) : Page<MonitorView>(Monitors, null);

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
