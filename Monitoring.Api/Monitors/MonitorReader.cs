using System.Collections.Concurrent;
using Monitoring.Data.Checks;
using Monitoring.Data.Database;

namespace Monitoring.Api.Monitors;

/// <summary>What is stored of all monitors within a window of hours: the registry, the ledger's sums, its gaps.</summary>
internal sealed record MonitorRows(int Hours, IReadOnlyList<MonitorActivity> Activities, ILookup<string, GapSpan> Gaps);

/// <summary>Puts a monitor's registration and its ledger together.</summary>
internal sealed class MonitorReader(DatabaseConnections db, ChangeMarks marks, TimeProvider clock)
{
    private const int MaxSpans = 20;

    private readonly ConcurrentDictionary<int, HeldRead<MonitorRows>> _byHours = [];

    /// <summary>Every registered monitor by name, with its runs of the last hours.</summary>
    public async Task<IReadOnlyList<MonitorView>> ListAsync(int hours, CancellationToken cancellationToken)
    {
        var read = _byHours.GetOrAdd(hours, _ => new HeldRead<MonitorRows>(db, marks, clock, (batch, now) => Ask(batch, now, hours)));
        var (rows, now) = await read.FindAsync(cancellationToken);
        return Show(rows, now);
    }

    /// <summary>How current one monitor is, or null when nobody runs it.</summary>
    public async Task<Freshness?> FindStateAsync(string monitor, CancellationToken cancellationToken) =>
        (await ListAsync(hours: 1, cancellationToken)).FirstOrDefault(view => view.Name == monitor)?.State;

    /// <summary>Adds the statements that read all monitors to a batch.</summary>
    public static Func<TimedRows<MonitorRows>> Ask(DatabaseBatch batch, DateTimeOffset now, int hours)
    {
        var since = now.AddHours(-hours);
        var activities = MonitorLedger.List(batch, since, now);
        var gaps = MonitorLedger.ListGaps(batch, since, now, MaxSpans);
        return () => new TimedRows<MonitorRows>(
            new MonitorRows(hours, activities.Rows, gaps.Rows.ToLookup(gap => gap.Monitor)),
            activities.Rows.Select(row => row.Until(TimeSpan.FromHours(hours), now)).DefaultIfEmpty(DateTimeOffset.MaxValue).Min());
    }

    /// <summary>The monitors as they are at a moment, by rows that hold then.</summary>
    public static IReadOnlyList<MonitorView> Show(MonitorRows rows, DateTimeOffset now) =>
    [
        .. rows.Activities.Select(row => new MonitorView(
            row.Monitor, row.IntervalSeconds,
            MonitorFreshness.Judge(TimeSpan.FromSeconds(row.IntervalSeconds), now - row.LastSuccessAt), row.LastSuccessAt,
            row.LastSuccessAt is { } success ? Math.Round((now - success).TotalSeconds, 1) : null, row.LastError, row.LastErrorAt,
            row.Runs, row.Failures, row.CountGaps(now.AddHours(-rows.Hours), now), Round(row.P50Ms), Round(row.P99Ms),
            [.. rows.Gaps[row.Monitor].Select(gap => new GapSpanView(gap.FromAt, gap.UntilAt, gap.Count, gap.Reason))])),
    ];

    private static double? Round(double? milliseconds) => milliseconds is { } value ? Math.Round(value, 1) : null;
}
