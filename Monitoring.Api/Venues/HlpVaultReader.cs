using Monitoring.Data.Checks;
using Monitoring.Data.Database;
using Monitoring.Data.Venues;

namespace Monitoring.Api.Venues;

/// <summary>The newest snapshot, null while nothing is stored, and its components.</summary>
internal sealed record HlpVaultRows(HlpVaultSnapshotView? Snapshot, IReadOnlyList<HlpVaultComponentView> Components);

/// <summary>Reads the HLP vault for the endpoints and for the dashboard. The vault is the one that was observed last.</summary>
internal sealed class HlpVaultReader(DatabaseConnections db, ChangeMarks marks, TimeProvider clock)
{
    public const string Monitor = "hlp-vault";

    private readonly HeldRead<HlpVaultRows> _newest = new(db, marks, clock, (batch, now) =>
    {
        var take = AskNewest(batch, now);
        return () => new TimedRows<HlpVaultRows>(take(), DateTimeOffset.MaxValue);
    });

    /// <summary>The newest snapshot, or null while nothing is stored.</summary>
    public async Task<HlpVaultNow?> FindNowAsync(CancellationToken cancellationToken)
    {
        var (rows, now) = await _newest.FindAsync(cancellationToken);
        return Show(rows, now);
    }

    /// <summary>Adds up the last days. Without any snapshot the figures are null and the gaps still count.</summary>
    public async Task<HlpVaultStatisticsAnswer> SummariseAsync(int days, CancellationToken cancellationToken)
    {
        var now = Edge.Now(clock);
        var batch = new DatabaseBatch();
        var take = AskStatistics(batch, now, days);
        await batch.SendAsync(db, cancellationToken);
        return take().Rows(now);
    }

    /// <summary>Adds the statements of the newest snapshot to a batch.</summary>
    public static Func<HlpVaultRows> AskNewest(DatabaseBatch batch, DateTimeOffset now)
    {
        var snapshot = HlpVaultSnapshots.FindNewest(batch, now);
        var components = HlpVaultComponents.ListOfNewestSnapshot(batch, now);
        return () => new HlpVaultRows(snapshot.Only is { } row ? HlpVaultSnapshotView.Of(row)
            : null, [.. components.Rows.Select(HlpVaultComponentView.Of)]);
    }

    /// <summary>The newest snapshot with its age at a moment.</summary>
    public static HlpVaultNow? Show(HlpVaultRows rows, DateTimeOffset now) => rows.Snapshot is not { } snapshot ? null
        : new HlpVaultNow(snapshot)
    {
        AgeSeconds = Math.Round((now - snapshot.Timestamp).TotalSeconds, 1),
        Components = rows.Components,
    };

    /// <summary>Adds the statements of the last days' sums to a batch; the result counts the gaps up to a moment.</summary>
    public static Func<TimedRows<Func<DateTimeOffset, HlpVaultStatisticsAnswer>>> AskStatistics(DatabaseBatch batch, DateTimeOffset now,
        int days)
    {
        var window = TimeSpan.FromDays(days);
        var summed = HlpVaultSnapshots.Summarise(batch, now - window, now);
        var oldest = HlpVaultSnapshots.FindOldestOfBrokenHour(batch, now - window);
        var successes = MonitorLedger.CountGridSuccesses(batch, Monitor, now - window, now);
        return () =>
        {
            var (sum, counted) = (summed.Only!, successes.Only);
            var healthRate = sum.TotalSnapshots == 0 ? (decimal?)null
                : decimal.Round((decimal)(sum.TotalSnapshots - sum.UnhealthySnapshots) / sum.TotalSnapshots, 6);
            return new TimedRows<Func<DateTimeOffset, HlpVaultStatisticsAnswer>>(
                at => new HlpVaultStatisticsAnswer(true, days, sum.TotalSnapshots, sum.AvgAccountValue, sum.MinAccountValue,
                    sum.MaxAccountValue,
                    sum.AvgAnomalyScore, sum.MaxAnomalyScore, sum.UnhealthySnapshots, healthRate, counted?.CountGaps(at - window, at) ?? 0),
                Edge.Earliest(oldest.Only?.At + window, counted?.Until(window)));
        };
    }
}
