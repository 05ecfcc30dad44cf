using Monitoring.Data.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Worker.Recording;

/// <summary>
/// The recorder of <c>--no-database</c>: nothing is stored. What announces goes out by route, the rest to whoever was notified.
/// </summary>
internal sealed class MemoryRecorder(
    EventSnapshot events, NotificationRouting routing, ChannelOptions channels, OfflineOutbox outbox, EventLog log,
    SessionStatistics statistics) : IRecorder
{
    private readonly WithheldMessages _withheld = new(events, outbox);
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Dictionary<string, int>> _notified = []; // how often each channel, by event

    /// <inheritdoc/>
    public void Record(CheckResult result)
    {
        lock (_lock)
        {
            var update = events.Expect(result);
            statistics.CountRecorded(wasNew: true, update.Changes.Count);
            log.Write(update);
            foreach (var change in update.Changes)
                Notify(update.EventOf(change), change);
            _withheld.Follow(update);
        }
    }

    private void Notify(SecurityEvent e, SecurityEventChange change)
    {
        var notified = _notified.GetValueOrDefault(e.EventId) ?? [];
        var routed = routing.ChannelsFor(e, change);
        var told = NotificationRouting.IsFurtherRoute(e, change) ? routed.Except(notified.Keys)
            : change.Kind == ChangeKind.Opened ? routed
            : notified.Keys.Union(routed);
        if (change.Kind.Ends()) // who was to hear of it and never did needs not hear of its end
            foreach (var withheld in _withheld.Drop(e.EventId).GroupBy(channel => channel))
                if (notified.GetValueOrDefault(withheld.Key) <= withheld.Count())
                    notified.Remove(withheld.Key);
        foreach (var channel in told.ToList())
        {
            notified[channel] = notified.GetValueOrDefault(channel) + (change.Kind.Announces() ? 1 : 0);
            var notification = new OfflineNotification(
                channel, [NotificationRouting.IdOf(e, change, channel)], NotificationEntry.Of(e, change, channels.LinkTo(e.EventId)));
            if (!change.Kind.Announces())
                outbox.Add(notification);
            else if (change.Kind != ChangeKind.Reminded || !outbox.HasFor(channel, e.EventId))
                _withheld.Pass(e, notification);
        }

        if (change.Kind.Ends() || notified.Count == 0)
            _notified.Remove(e.EventId);
        else
            _notified[e.EventId] = notified;
    }
}
