using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Monitoring.Api.Http;
using Monitoring.Api.Monitors;
using Monitoring.Api.Workers;
using Monitoring.Data.Events;

namespace Monitoring.Api.Dashboard;

/// <summary>Events by severity.</summary>
public sealed record EventCounts(long Critical, long High, long Medium, long Low, long Info, long Total)
{
    internal static EventCounts Of(IReadOnlyList<SeverityCount> counts)
    {
        long Count(Severity severity) => counts.FirstOrDefault(count => count.Severity == severity)?.Count ?? 0;
        return new EventCounts(Count(Severity.Critical), Count(Severity.High), Count(Severity.Medium), Count(Severity.Low),
            Count(Severity.Info),
            counts.Sum(count => count.Count));
    }
}

/// <summary>
/// What the database holds of the last time; subjects add their sums. <c>takes_writes</c>: a worker has just written to it, or could.
/// </summary>
public sealed record DatabaseView(
    bool DatabaseEnabled, bool TakesWrites,
    [property: JsonPropertyName("security_events_24h")] EventCounts SecurityEvents24h)
{
    [JsonIgnore]
    internal IReadOnlyList<object?> Sections { get; init; } = [];
}

/// <summary>
/// A notification channel. <c>is_configured</c>: a worker said within 5 minutes that it sends through it; nothing leaves through
/// the others. <c>is_unproven</c>: for 7 days no message and no test message got through, so nobody knows whether it works.
/// </summary>
public sealed record ChannelView(string Channel, bool IsConfigured, DateTimeOffset? ProvenAt, bool IsUnproven);

/// <summary>Everything at a glance; subjects add their sections. Those are null while no check has been stored.</summary>
public sealed record DashboardAnswer(
    bool Success, DateTimeOffset Timestamp, OverallRisk OverallRisk, EventCounts OpenEvents, IReadOnlyList<MonitorView> Monitors,
    WorkersView Workers, IReadOnlyList<ChannelView> Channels, NotificationsView Notifications, DatabaseView Database)
{
    [JsonIgnore]
    internal IReadOnlyList<object?> Sections { get; init; } = [];
}

/// <summary>The route of the dashboard's data.</summary>
internal static class DashboardEndpoints
{
    public static void MapDashboard(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/security/dashboard", GetDashboard).WithName(nameof(GetDashboard)).WithTags("Dashboard").WithParameters();

    /// <summary>
    /// Overall risk and what decided it, each subject, open events, monitors, workers, notifications by channel, and sums.
    /// </summary>
    internal static async Task<Ok<DashboardAnswer>> GetDashboard(DashboardReader dashboard, CancellationToken cancellationToken) =>
        TypedResults.Ok(await dashboard.ReadAsync(cancellationToken));
}
