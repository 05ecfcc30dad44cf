using Monitoring.Data.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Recording;

/// <summary>
/// Decides who is notified of what while the database is away, or far behind: of what is critical, and of the pipeline's own health. It
/// follows the waiting results with the same state machine and the same ids as the database will, so that each opening goes out once. What
/// it does not pass on is left to the database's outbox. The pipeline calls it, one call at a time.
/// </summary>
internal sealed class OutageNotifier(
    EventSnapshot events, NotificationRouting routing, ChannelOptions channels, InFlightClaims claims, OfflineOutbox outbox,
    RecordingQueue queue)
{
    private readonly WithheldMessages _withheld = new(events, outbox);
    private readonly HashSet<Guid> _opened = []; // events of this outage
    private readonly HashSet<(Guid Event, string Channel)> _notified = []; // of them
    private readonly Dictionary<(Guid Event, string Channel), List<Guid>> _left = []; // notifications that are not urgent

    /// <summary>
    /// The database went away: follows everything that waits, from what was open at the beginning, which goes to the journal. Without an
    /// <paramref name="outage"/>: an earlier run has left so much that what comes now would wait long for its turn.
    /// </summary>
    public void Begin(DatabaseOutage? outage)
    {
        _opened.Clear();
        _notified.Clear();
        _left.Clear();
        _withheld.Clear();
        var earlier = queue.ReadAll().OfType<OutageEntry>().FirstOrDefault();
        events.BeginExpecting(earlier?.Known ?? []);
        if (earlier is null && outage is not null)
            queue.Add(new OutageEntry(outage.Since, events.Known));
        foreach (var inhibited in events.OpenedInhibited().Where(UrgentMessages.IsUrgent))
            _withheld.Keep(inhibited.EventId, OpeningOf(inhibited));
        foreach (var waiting in queue.ReadAll().OfType<ResultEntry>()) // one by one: they may be more than fit into memory
            Follow(waiting.Result);
    }

    /// <summary>Follows one more result that waits.</summary>
    public void Follow(CheckResult result)
    {
        var update = events.Expect(result);
        foreach (var change in update.Changes)
        {
            var changed = update.EventOf(change);
            if (change.Kind == ChangeKind.Opened)
                _opened.Add(change.EventId);
            foreach (var channel in routing.ChannelsFor(changed, change))
                Decide(changed, change, channel);
        }

        _withheld.Follow(update);
    }

    // Of an event that was opened before the outage: its row waits in the database, under this id.
    private IReadOnlyList<OfflineNotification> OpeningOf(SecurityEvent e)
    {
        var opening = new SecurityEventChange(
            Seq: 0, e.EventId, e.FirstSeenAt, e.FirstSeenAt, ChangeKind.Opened, e.Severity, Actor: "worker", e.Title, Evidence: null);
        return [.. routing.ChannelsFor(e, opening).Select(channel => (Channel: channel, Id: NotificationRouting.IdOf(e, opening, channel)))
            .Where(one => claims.Find(one.Id)?.DeliveredAt is null)
            .Select(one => new OfflineNotification(
                one.Channel, [one.Id], NotificationEntry.Of(e, opening, channels.LinkTo(e.EventId))))];
    }

    private void Decide(SecurityEvent e, SecurityEventChange change, string channel)
    {
        var id = NotificationRouting.IdOf(e, change, channel);
        if (change.Kind == ChangeKind.Reminded && (outbox.HasFor(channel, e.EventId)
            || (NotificationRouting.IsFurtherRoute(e, change) && _notified.Contains((e.EventId, channel)))))
            return; // nobody is reminded of what still waits to be said
        if (claims.Find(id)?.DeliveredAt is not null)
        {
            _notified.Add((e.EventId, channel));
        }
        else if (UrgentMessages.IsUrgent(e))
        {
            // An event of this outage that was not urgent at first is opened for people by this message, which stands for those that were
            // left.
            var isFirst = _notified.Add((e.EventId, channel)) && _opened.Contains(e.EventId) && change.Kind != ChangeKind.Flapping;
            var entry = NotificationEntry.Of(e, change, channels.LinkTo(e.EventId));
            _withheld.Pass(e, new OfflineNotification(channel, [id, .. _left.Remove((e.EventId, channel), out var left) ? left : []],
                isFirst ? entry with { Kind = ChangeKind.Opened } : entry));
        }
        else if (!_left.TryAdd((e.EventId, channel), [id]))
        {
            _left[(e.EventId, channel)].Add(id);
        }
    }
}
