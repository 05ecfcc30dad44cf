using Claim = (System.Guid MessageId, System.Collections.Generic.IReadOnlyList<System.Guid> Ids, System.DateTimeOffset? DeliveredAt);
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

    // By notification. What an earlier process left in the journal is known before any outbox is read and before anything is drained.
    private readonly Dictionary<Guid, Claim> _claims = queue.ReadAll().SelectMany(ClaimsOf).GroupBy(one => one.Id).ToDictionary(
        same => same.Key, same => same.Last().Claim);

    /// <summary>The ids of the notifications, or of the message where those are not known: it came from the database's outbox.</summary>
    public IReadOnlyCollection<Guid> Ids
    {
        get
        {
            lock (_lock)
                return [.. _claims.Keys];
        }
    }

    /// <summary>The message in which a notification was claimed, also by an earlier process, and what was in it; or null.</summary>
    public Claim? Find(Guid notificationId)
    {
        lock (_lock)
            return _claims.TryGetValue(notificationId, out var claim) ? claim : null;
    }

    /// <summary>Puts a claim or a delivery into the journal; returns when it is there.</summary>
    public void Add(JournalEntry entry)
    {
        lock (_lock)
        {
            queue.Add(entry);
            foreach (var (id, claim) in ClaimsOf(entry))
                _claims[id] = claim;
        }
    }

    /// <summary>A row as it is to be stored: as delivered where it was, as part of the same message where that was begun.</summary>
    public NewNotification Mark(NewNotification row) =>
        Find(row.NotificationId) is { } claim ? row with { MessageId = claim.MessageId, DeliveredAt = claim.DeliveredAt } : row;

    /// <summary>The database knows of this entry; every result before it is stored, too.</summary>
    public void Forget(JournalEntry entry)
    {
        lock (_lock)
            foreach (var (id, claim) in ClaimsOf(entry))
                if (_claims.TryGetValue(id, out var known) && (known.MessageId, known.DeliveredAt) == (claim.MessageId, claim.DeliveredAt))
                    _claims.Remove(id); // else another entry about it follows
    }

    private static IEnumerable<(Guid Id, Claim Claim)> ClaimsOf(JournalEntry entry) => entry switch
    {
        AttemptEntry one => one.NotificationIds.Select(id => (id, new Claim(one.MessageId, one.NotificationIds, null))),
        DeliveryEntry one => one.NotificationIds.DefaultIfEmpty(one.MessageId)
            .Select(id => (id, new Claim(one.MessageId, one.NotificationIds, one.DeliveredAt))),
        _ => [],
    };
}
