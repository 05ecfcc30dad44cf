using Monitoring.Api.Dashboard;
using Monitoring.Data.Database;

namespace Monitoring.Api.Venues;

/// <summary>The dashboard's part about the HLP vault: its newest snapshot, its last 30 days, its anomaly score.</summary>
internal sealed class HlpVaultDashboard : IDashboardPart
{
    private const int StatisticsDays = 30;

    /// <inheritdoc/>
    public IReadOnlyList<DashboardSection> Sections { get; } =
        [new("hlp_vault", typeof(HlpVaultNow), IsNullable: true),
            new("hlp_statistics_30d", typeof(HlpVaultStatisticsAnswer), IsOfDatabase: true)];

    /// <inheritdoc/>
    public Func<TimedRows<ShowShare>> Ask(DatabaseBatch batch, DateTimeOffset now)
    {
        var newest = HlpVaultReader.AskNewest(batch, now);
        var summed = HlpVaultReader.AskStatistics(batch, now, StatisticsDays);
        return () =>
        {
            var (rows, (statistics, until)) = (newest(), summed());
            RiskPart[] risks = rows.Snapshot is not { AnomalyScore: var score } ? []
                : [new("hlp_anomaly_score", score, $"anomaly score of the HLP vault: {score:0.#}")];
            return new TimedRows<ShowShare>((at, _) => new DashboardShare([HlpVaultReader.Show(rows, at), statistics(at)], risks), until);
        };
    }
}
