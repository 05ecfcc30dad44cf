using Microsoft.AspNetCore.Http.HttpResults;
using Monitoring.Api.Http;
using Monitoring.Api.Monitors;
using Monitoring.Api.Venues;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;

namespace Monitoring.Api.Dashboard;

/// <summary>Events by severity.</summary>
public sealed record EventCounts(long Critical, long High, long Medium, long Low, long Info, long Total)
{
    internal static EventCounts Of(IReadOnlyList<SeverityCount> counts)
    {
        long Count(Severity severity) => counts.FirstOrDefault(count => count.Severity == severity)?.Count ?? 0;
        return new EventCounts(Count(Severity.Critical), Count(Severity.High), Count(Severity.Medium), Count(Severity.Low), Count(Severity.Info), counts.Sum(count => count.Count));
    }
}

/// <summary>What the database holds of the last time.</summary>
public sealed record DatabaseView(
    bool DatabaseEnabled,
    [property: System.Text.Json.Serialization.JsonPropertyName("hlp_statistics_30d")] HlpVaultStatisticsAnswer HlpStatistics30d,
    [property: System.Text.Json.Serialization.JsonPropertyName("security_events_24h")] EventCounts SecurityEvents24h);

/// <summary>
/// A notification channel. <c>is_configured</c>: a worker said within 5 minutes that it sends through it; nothing leaves through the others.
/// <c>is_unproven</c>: for 7 days no message and no test message got through, so nobody knows whether it works.
/// </summary>
public sealed record ChannelView(string Channel, bool IsConfigured, DateTimeOffset? ProvenAt, bool IsUnproven);

/// <summary>Everything at a glance. <c>hlp_vault</c> and <c>oracle_monitoring</c> are null while no check has been stored.</summary>
public sealed record DashboardAnswer(
    bool Success, DateTimeOffset Timestamp, OverallRisk OverallRisk, HlpVaultNow? HlpVault, OracleMonitoringView? OracleMonitoring, LiquidationSummary Liquidations,
    EventCounts OpenEvents, IReadOnlyList<MonitorView> Monitors, IReadOnlyList<ChannelView> Channels, NotificationsView Notifications,
    DatabaseView Database);

/// <summary>The route of the dashboard's data.</summary>
internal static class DashboardEndpoints
{
    private const int MonitorHours = 24;
    private const int StatisticsDays = 30;
    private static readonly TimeSpan ProofLasts = TimeSpan.FromDays(7);

    public static void MapDashboard(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/security/dashboard", GetDashboard).WithName(nameof(GetDashboard)).WithTags("Dashboard").WithParameters();

    /// <summary>Overall risk and what decided it, the vault, the oracle, open events, monitors, notifications by channel, and sums from the database.</summary>
    internal static async Task<Ok<DashboardAnswer>> GetDashboard(
        HlpVaultReader vault, OracleReader oracle, LiquidationReader liquidations, SecurityEvents events, MonitorReader monitors,
        ChannelTests channels, NotificationChannelTable outbox, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var snapshot = await vault.FindNowAsync(cancellationToken);
        var deviations = await oracle.SummariseAsync(cancellationToken);
        var open = await events.CountOpenAsync(cancellationToken);
        var states = await monitors.ListAsync(MonitorHours, cancellationToken);
        return TypedResults.Ok(new DashboardAnswer(true, now, OverallRisk.Of(snapshot?.AnomalyScore, open, states, deviations), snapshot, deviations,
            await liquidations.SummariseAsync(states.FirstOrDefault(monitor => monitor.Name == LiquidationReader.Monitor)?.LastSuccessAt, cancellationToken),
            EventCounts.Of(open), states,
            [.. (await channels.ListProofsAsync(cancellationToken)).Select(proof => new ChannelView(
                proof.Channel, NotificationsView.IsConfigured(proof.ConfiguredAt, now), proof.ProvenAt, proof.ProvenAt is null || now - proof.ProvenAt > ProofLasts))],
            await NotificationsView.ReadAsync(outbox, now, cancellationToken),
            new DatabaseView(true, await vault.SummariseAsync(StatisticsDays, cancellationToken),
                EventCounts.Of(await events.CountSinceAsync(now.AddHours(-24), cancellationToken)))));
    }
}
