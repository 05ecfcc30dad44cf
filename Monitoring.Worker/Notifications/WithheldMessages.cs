using Monitoring.Data.Events;
using Monitoring.Worker.Events;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// What is silenced or inhibited while it is this process that sends: it leaves when its event is still open and no longer held back. The
/// recorder that decides what leaves calls it, one call at a time.
/// </summary>
internal sealed class WithheldMessages(EventSnapshot events, OfflineOutbox outbox)
{
    private readonly Dictionary<Guid, List<OfflineNotification>> _withheld = []; // by event, in their order

    /// <summary>Lets a notification leave, or keeps it while its event is held back.</summary>
    public void Pass(SecurityEvent e, OfflineNotification notification)
    {
        if (events.IsHeld(e))
            Keep(e.EventId, [notification]);
        else
            outbox.Add(notification);
    }

    /// <summary>Keeps a notification that the database holds back since before it went away.</summary>
    public void Keep(Guid eventId, IReadOnlyList<OfflineNotification> notifications)
    {
        if (!_withheld.TryGetValue(eventId, out var kept))
            _withheld[eventId] = kept = [];
        kept.AddRange(notifications);
    }

    /// <summary>
    /// Takes back what an update holds back and has not left yet, and lets go of what is open and no longer held back.
    /// </summary>
    public void Follow(EventUpdate update)
    {
        foreach (var held in update.Inhibited.Where(events.IsHeld))
            if (outbox.Withdraw(held.EventId) is { Count: > 0 } withdrawn)
                Keep(held.EventId, withdrawn);
        foreach (var eventId in _withheld.Keys.ToList())
            if (events.FindExpected(eventId) is not { Status: not EventStatus.Resolved } current)
                _withheld.Remove(eventId);
            else if (!events.IsHeld(current))
                foreach (var notification in Take(eventId))
                    outbox.Add(notification);
    }

    /// <summary>Forgets what is kept of an event that is over; answers the channel of each.</summary>
    public IReadOnlyList<string> Drop(Guid eventId) => [.. Take(eventId).Select(notification => notification.Channel)];

    /// <summary>Forgets all.</summary>
    public void Clear() => _withheld.Clear();

    private List<OfflineNotification> Take(Guid eventId) => _withheld.Remove(eventId, out var kept) ? kept : [];
}
