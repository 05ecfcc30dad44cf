using Monitoring.Data.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Recording;

/// <summary>
/// Decides who is notified of what while the database is away: of what is critical, and of the pipeline's own health. It follows the
/// waiting results with the same state machine and the same ids as the database will, so that each opening goes out once. What it does not
/// pass on is left to the database's outbox. The pipeline calls it, one call at a time.
/// </summary>
internal sealed class OutageNotifier(
    EventSnapshot events, NotificationRouting routing, ChannelOptions channels, InFlightClaims claims, OfflineOutbox outbox,
    RecordingQueue queue)
{
    private readonly HashSet<Guid> _opened = []; // events of this outage
    private readonly HashSet<(Guid Event, string Channel)> _notified = []; // of them
    private readonly Dictionary<(Guid Event, string Channel), List<Guid>> _left = []; // notifications that are not urgent

    /// <summary>
    /// The database went away: follows everything that waits, from what was open at the beginning, which goes to the journal.
    /// </summary>
    public void Begin(DatabaseOutage outage)
    {
        _opened.Clear();
        _notified.Clear();
        _left.Clear();
        var earlier = queue.ReadAll().OfType<OutageEntry>().FirstOrDefault();
        events.BeginExpecting(earlier?.Open ?? []);
        if (earlier is null)
            queue.Add(new OutageEntry(outage.Since, events.Open));
        foreach (var waiting in queue.ReadAll().OfType<ResultEntry>()) // one by one: they may be more than fit into memory
            Follow(waiting.Result);
    }

    /// <summary>Follows one more result that waits.</summary>
    public void Follow(CheckResult result)
    {
        var update = events.Expect(result);
        foreach (var change in update.Changes.Where(change => change.Kind is ChangeKind.Opened or ChangeKind.Escalated))
        {
            var changed = update.EventOf(change);
            if (change.Kind == ChangeKind.Opened)
                _opened.Add(change.EventId);
            var isUrgent = UrgentMessages.IsUrgent(changed) && !events.IsSilenced(changed.Fingerprint);
            foreach (var channel in routing.ChannelsFor(changed))
                Decide(changed, change, channel, isUrgent);
        }
    }

    private void Decide(SecurityEvent e, SecurityEventChange change, string channel, bool isUrgent)
    {
        var id = NotificationRouting.IdOf(e, change, channel);
        if (claims.Find(id)?.DeliveredAt is not null)
        {
            _notified.Add((e.EventId, channel));
        }
        else if (isUrgent)
        {
            // An event of this outage that was not urgent at first is opened for people by this message, which stands for those that were
            // left.
            var isFirst = _notified.Add((e.EventId, channel)) && _opened.Contains(e.EventId);
            var entry = NotificationEntry.Of(e, change, channels.LinkTo(e.EventId));
            outbox.Add(channel, [id, .. _left.Remove((e.EventId, channel), out var left) ? left : []],
                isFirst ? entry with { Kind = ChangeKind.Opened } : entry);
        }
        else if (!_left.TryAdd((e.EventId, channel), [id]))
        {
            _left[(e.EventId, channel)].Add(id);
        }
    }
}
