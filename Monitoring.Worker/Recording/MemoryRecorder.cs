using Monitoring.Data.Events;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Worker.Recording;

/// <summary>
/// The recorder of <c>--no-database</c>: nothing is stored. Openings and escalations go out by route, the rest to whoever was notified.
/// </summary>
internal sealed class MemoryRecorder(
    EventSnapshot events, NotificationRouting routing, ChannelOptions channels, OfflineOutbox outbox, EventLog log,
    SessionStatistics statistics) : IRecorder
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, HashSet<string>> _notified = []; // the channels, by event

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
        }
    }

    private void Notify(SecurityEvent e, SecurityEventChange change)
    {
        var notified = _notified.GetValueOrDefault(e.EventId) ?? [];
        if (change.Kind is ChangeKind.Opened or ChangeKind.Escalated)
            notified.UnionWith(routing.ChannelsFor(e));
        foreach (var channel in notified)
            outbox.Add(
                channel, [NotificationRouting.IdOf(e, change, channel)], NotificationEntry.Of(e, change, channels.LinkTo(e.EventId)));
        if (change.Kind.Ends() || notified.Count == 0)
            _notified.Remove(e.EventId);
        else
            _notified[e.EventId] = notified;
    }
}
