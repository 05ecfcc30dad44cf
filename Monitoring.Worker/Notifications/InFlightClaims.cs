using Monitoring.Data.Notifications;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// The claims and deliveries that were made without the database and that it does not know of yet. Each is in the journal first, so that a
/// process that dies leaves it to the next. Until they are stored, the database's outbox leaves their notifications alone: a commit whose
/// answer was lost may have put the rows there. Safe for several threads.
/// </summary>
internal sealed class InFlightClaims(RecordingQueue queue)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, AttemptEntry> _begun = []; // by each of the notifications that it holds
    private readonly Dictionary<Guid, DeliveryEntry> _delivered = []; // likewise
    private readonly HashSet<Guid> _marked = []; // messages of the database's outbox that were delivered, and could not be marked there

    /// <summary>The ids of the notifications.</summary>
    public IReadOnlyCollection<Guid> Ids
    {
        get
        {
            lock (_lock)
                return [.. _begun.Keys.Union(_delivered.Keys)];
        }
    }

    /// <summary>The ids of messages that were claimed in the database and delivered while it was away.</summary>
    public IReadOnlyCollection<Guid> MessageIds
    {
        get
        {
            lock (_lock)
                return [.. _marked];
        }
    }

    /// <summary>
    /// Reads what an earlier process left in the journal. To be called before the outbox is read, and before the journal is drained.
    /// </summary>
    public void Load()
    {
        lock (_lock)
            foreach (var entry in queue.ReadAll())
                Remember(entry);
    }

    /// <summary>The message in which a notification was claimed before, also by an earlier process; null where it was not.</summary>
    public AttemptEntry? FindBegun(Guid notificationId)
    {
        lock (_lock)
            return _begun.GetValueOrDefault(notificationId);
    }

    /// <summary>Whether a notification was delivered already.</summary>
    public bool IsDelivered(Guid notificationId)
    {
        lock (_lock)
            return _delivered.ContainsKey(notificationId);
    }

    /// <summary>Puts a claim or a delivery into the journal; returns when it is there.</summary>
    public void Add(JournalEntry entry)
    {
        lock (_lock)
        {
            queue.Add(entry);
            Remember(entry);
        }
    }

    /// <summary>
    /// A row as it is to be stored: as delivered where it went out already, as part of the same message where that was begun.
    /// </summary>
    public NewNotification Mark(NewNotification row)
    {
        lock (_lock)
            return _delivered.TryGetValue(row.NotificationId, out var sent)
                ? row with { DeliveredAt = sent.DeliveredAt, MessageId = sent.MessageId }
                : _begun.TryGetValue(row.NotificationId, out var begun) ? row with { MessageId = begun.MessageId }
                : row;
    }

    /// <summary>The database knows of this entry; every result before it is stored, too.</summary>
    public void Forget(JournalEntry entry)
    {
        lock (_lock)
            if (entry is AttemptEntry attempt)
            {
                foreach (var id in attempt.NotificationIds)
                    _begun.Remove(id);
            }
            else if (entry is DeliveryEntry delivery)
            {
                _marked.Remove(delivery.MessageId);
                foreach (var id in delivery.NotificationIds)
                    _delivered.Remove(id);
            }
    }

    private void Remember(JournalEntry entry)
    {
        if (entry is AttemptEntry attempt)
        {
            foreach (var id in attempt.NotificationIds)
                _begun[id] = attempt;
        }
        else if (entry is DeliveryEntry delivery)
        {
            if (delivery.NotificationIds.Count == 0)
                _marked.Add(delivery.MessageId);
            foreach (var id in delivery.NotificationIds)
                _delivered[id] = delivery;
        }
    }
}
