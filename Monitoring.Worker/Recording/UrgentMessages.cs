using Monitoring.Data.Events;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Notifications.Channels;

namespace Monitoring.Worker.Recording;

/// <summary>
/// The urgent messages of what was stored a moment ago and that nobody has claimed since. They leave without the database when its outbox
/// does not answer: a lock on one of its tables, or a server that hangs right after the commit, holds no critical message back. Their ids
/// are those of the stored rows, so what is sent is marked there later. Safe for several threads.
/// </summary>
internal sealed class UrgentMessages(
    EventSnapshot events, NotificationRouting routing, ChannelOptions channels, InFlightClaims claims, OfflineOutbox outbox,
    TimeProvider clock)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(30); // by then this worker, or another one, has claimed them

    private readonly Lock _lock = new();
    private readonly List<(string Channel, Guid Id, NotificationEntry Entry, long At)> _unclaimed = [];
    private readonly HashSet<Guid> _left = []; // to the offline outbox
    private volatile Task? _hanging;

    /// <summary>Whether a question to the database's outbox hangs: nothing is asked of it meanwhile.</summary>
    public bool OutboxHangs => _hanging is { IsCompleted: false };

    /// <summary>Whether this change is worth a message while only the urgent ones leave.</summary>
    public static bool IsUrgent(SecurityEvent e) => e.Severity == Severity.Critical || e.Monitor == RecordingHealth.MonitorName;

    /// <summary>Takes in what the database has made of a result.</summary>
    public void Stored(EventUpdate update)
    {
        lock (_lock)
        {
            ForgetOld();
            foreach (var change in update.Changes.Where(change =>
                change.Kind is ChangeKind.Opened or ChangeKind.Escalated or ChangeKind.Worsened))
                if (update.EventOf(change) is var changed && IsUrgent(changed) && !events.IsHeld(changed))
                    foreach (var channel in routing.ChannelsFor(changed, change))
                        if (NotificationRouting.IdOf(changed, change, channel) is var id && claims.Find(id)?.DeliveredAt is null)
                            _unclaimed.Add((channel, id, NotificationEntry.Of(changed, change, channels.LinkTo(changed.EventId)),
                                clock.GetTimestamp()));
        }

        if (OutboxHangs)
            SendNow();
    }

    /// <summary>Forgets what was claimed from the database's outbox.</summary>
    public void Claimed(string channel, IEnumerable<NotificationEntry> entries)
    {
        lock (_lock)
            if (_unclaimed.Count > 0)
            {
                var claimed = entries.Select(entry => (entry.EventId, entry.Kind)).ToHashSet();
                _unclaimed.RemoveAll(one => one.Channel == channel && claimed.Contains((one.Entry.EventId, one.Entry.Kind)));
            }
    }

    /// <summary>This question to the database's outbox was waited for in vain.</summary>
    public void Hangs(Task question)
    {
        _hanging = question;
        SendNow();
    }

    /// <summary>Lets all of them leave without the database.</summary>
    public void SendNow()
    {
        lock (_lock)
        {
            ForgetOld();
            foreach (var (channel, id, entry, _) in _unclaimed)
            {
                _left.Add(id);
                outbox.Add(new OfflineNotification(channel, [id], entry));
            }

            _unclaimed.Clear();
        }
    }

    /// <summary>
    /// The database's outbox answers: what was left to the other one and has not begun leaves from there, where its rows are.
    /// </summary>
    public void TakeBack()
    {
        lock (_lock)
        {
            outbox.Drop(_left);
            _left.Clear();
        }
    }

    private void ForgetOld() => _unclaimed.RemoveAll(one => clock.GetElapsedTime(one.At) > KeptFor);
}
