using System.Collections.Concurrent;

namespace Monitoring.Worker.Notifications;

/// <summary>
/// The notifications that this worker sends beside the outbox, from the moment that it decides to until they are stored as delivered or given up. A commit whose answer was lost may
/// have put their rows there as well: the outbox leaves them alone. Safe for several threads.
/// </summary>
internal sealed class OtherHands
{
    private readonly ConcurrentDictionary<Guid, bool> _ids = [];

    /// <summary>Their ids.</summary>
    public IReadOnlyCollection<Guid> Ids => [.. _ids.Keys];

    public void Take(IEnumerable<Guid> ids)
    {
        foreach (var id in ids)
            _ids[id] = true;
    }

    public void Release(IEnumerable<Guid> ids)
    {
        foreach (var id in ids)
            _ids.TryRemove(id, out _);
    }
}
