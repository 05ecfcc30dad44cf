using Monitoring.Api.Dashboard;
using Monitoring.Data.Database;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>
/// The newest check of the oracle, added up: assets measured, those a rule fires for, those dangerously off, and the largest risk among the
/// latter.
/// </summary>
public sealed record OracleMonitoringView(
    DateTimeOffset Timestamp, double AgeSeconds, int Assets, int ActiveDeviations, IReadOnlyList<string> DangerousAssets, decimal RiskScore,
    decimal MaxDeviationPct, string MaxDeviationAsset);

/// <summary>The dashboard's part about the oracle.</summary>
internal sealed class OracleDashboard : IDashboardPart
{
    /// <inheritdoc/>
    public IReadOnlyList<DashboardSection> Sections { get; } = [new("oracle_monitoring", typeof(OracleMonitoringView), IsNullable: true)];

    /// <inheritdoc/>
    public Func<TimedRows<ShowShare>> Ask(DatabaseBatch batch, DateTimeOffset now)
    {
        var rows = OracleDeviations.ListNow(batch, now);
        return () => new TimedRows<ShowShare>(rows.Rows.Count == 0 ? (_, _) => new DashboardShare([null], [])
            : Summarise(rows.Rows), DateTimeOffset.MaxValue);
    }

    private static ShowShare Summarise(IReadOnlyList<OracleDeviation> rows)
    {
        var newest = rows.Max(row => row.ObservedAt);
        var dangerous = rows.Where(row => row.IsDangerous).ToList();
        var largest = rows.MaxBy(row => row.MaxDeviationPct)!;
        var view = new OracleMonitoringView(newest, 0, rows.Count, rows.Count(row => row.Severity is not null),
            [.. dangerous.Select(row => row.Asset)], dangerous.Max(row => row.RiskScore) ?? 0, largest.MaxDeviationPct, largest.Asset);
        RiskPart[] risks = [new("oracle_risk", view.RiskScore, dangerous.Count == 0
            ? "no oracle price is dangerously off" : $"dangerously off is the oracle price of {string.Join(", ", view.DangerousAssets)}")];
        return (now, _) => new DashboardShare([view with { AgeSeconds = OracleReader.AgeOf(newest, now) }], risks);
    }
}
