using Monitoring.Api.Monitors;
using Monitoring.Api.Workers;
using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;

namespace Monitoring.Api.Dashboard;

/// <summary>
/// Reads the dashboard: all statements of all subjects in one round trip, and none of them again while nothing was written. What moves with
/// time alone is made at each request.
/// </summary>
internal sealed class DashboardReader
{
    private const int MonitorHours = 24;
    private static readonly TimeSpan EventWindow = TimeSpan.FromHours(24);
    private static readonly TimeSpan DeadWindow = TimeSpan.FromDays(1);
    private static readonly TimeSpan ProofLasts = TimeSpan.FromDays(7);

    private readonly IReadOnlyList<IDashboardPart> _parts;
    private readonly WorkerReader _workers;
    private readonly HeldRead<Rows> _read;

    private sealed record Rows(
        IReadOnlyList<ShowShare> Shares, MonitorRows Monitors, WorkerRows Workers, IReadOnlyList<SeverityCount> Open,
        IReadOnlyList<SeverityCount> Seen, IReadOnlyList<ChannelProof> Proofs, IReadOnlyList<NotificationChannelState> Channels);

    public DashboardReader(
        IEnumerable<IDashboardPart> parts, WorkerReader workers, DatabaseConnections db, ChangeMarks marks, TimeProvider clock) =>
        (_parts, _workers, _read) = ([.. parts], workers, new HeldRead<Rows>(db, marks, clock, Ask));

    /// <summary>The dashboard as it is now.</summary>
    public async Task<DashboardAnswer> ReadAsync(CancellationToken cancellationToken)
    {
        var (rows, now) = await _read.FindAsync(cancellationToken);
        var monitors = MonitorReader.Show(rows.Monitors, now);
        var (workers, takesWrites) = await _workers.ShowAsync(rows.Workers, cancellationToken);
        var shares = rows.Shares.Select(show => show(now, monitors)).ToList();
        return new DashboardAnswer(
            true, now, OverallRisk.Of(shares.SelectMany(share => share.Risks), rows.Open, monitors, workers), EventCounts.Of(rows.Open),
            monitors, workers,
            [.. rows.Proofs.Select(proof =>
                new ChannelView(proof.Channel, NotificationsView.IsConfigured(proof.ConfiguredAt, now), proof.ProvenAt,
                proof.ProvenAt is null || now - proof.ProvenAt > ProofLasts))],
            NotificationsView.Of(rows.Channels, now),
            new DatabaseView(true, takesWrites, EventCounts.Of(rows.Seen)) { Sections = Sections(shares, isOfDatabase: true) })
        {
            Sections = Sections(shares, isOfDatabase: false),
        };
    }

    private Func<TimedRows<Rows>> Ask(DatabaseBatch batch, DateTimeOffset now)
    {
        var monitors = MonitorReader.Ask(batch, now, MonitorHours);
        var workers = _workers.Ask(batch, now);
        var shares = _parts.Select(part => part.Ask(batch, now)).ToList();
        var open = SecurityEvents.CountOpen(batch);
        var seen = SecurityEvents.CountSince(batch, now - EventWindow);
        var oldestSeen = SecurityEvents.FindOldestSeen(batch, now - EventWindow);
        var proofs = ChannelTests.ListProofs(batch);
        var channels = NotificationChannelTable.List(batch, now, now - DeadWindow);
        var edges = NotificationChannelTable.FindEdges(batch, now, now - DeadWindow);
        return () =>
        {
            var (shown, watched, watching) = (shares.ConvertAll(share => share()), monitors(), workers());
            return new TimedRows<Rows>(
                new Rows([.. shown.Select(share => share.Rows)], watched.Rows, watching.Rows, open.Rows, seen.Rows, proofs.Rows,
                    channels.Rows),
                Edge.Earliest([watched.Until, watching.Until, oldestSeen.Only?.At + EventWindow, edges.Only?.OldestDeadAt + DeadWindow,
                    edges.Only?.NextUnsilencedAt,
                    .. shown.Select(share => share.Until)]));
        };
    }

    private List<object?> Sections(List<DashboardShare> shares, bool isOfDatabase) =>
        [.. _parts.Zip(shares).SelectMany(part => part.First.Sections.Zip(part.Second.Sections))
            .Where(section => section.First.IsOfDatabase == isOfDatabase).Select(section => section.Second)];
}
