using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;

namespace Monitoring.Worker.Events;

/// <summary>Asks again and again which events are open and silenced: others change them too, and in an outage nobody can ask.</summary>
internal sealed class EventSnapshotRefresh(EventSnapshot snapshot, SecurityEvents events, Silences silences, TimeProvider clock)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    private DateTimeOffset _readAt = DateTimeOffset.MinValue;

    /// <summary>
    /// Asks the database, unless it was asked within some seconds. Where it does not answer, the snapshot stays as it is.
    /// </summary>
    public async Task RefreshIfDueAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if ((now - _readAt).Duration() < Every)
            return;
        _readAt = now;
        try
        {
            snapshot.Learn(await DatabaseDeadline.HoldAsync(token => ReadAsync(now, token), Deadline, cancellationToken));
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            // Whoever writes next finds the database away.
        }
    }

    private async Task<EventsView> ReadAsync(DateTimeOffset now, CancellationToken cancellationToken) => new(
        now, await events.ListKnownAsync(now - EventSnapshot.ResolvedFor, EventSnapshot.OpenAtMost, cancellationToken),
        await silences.ListInForceAsync(now, cancellationToken));
}
