using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Worker.Events;

namespace Monitoring.Worker.Recording;

/// <summary>Reads again and again which events are open and silenced, since other workers and operators change them too: while the database is away nobody can ask.</summary>
internal sealed class EventsMirror(SecurityEvents events, Silences silences, TimeProvider clock)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    private DateTimeOffset _readAt = DateTimeOffset.MinValue;

    /// <summary>What the database says, when it was not asked for some seconds; null otherwise, and when it does not answer.</summary>
    public async Task<EventsView?> ReadIfDueAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if ((now - _readAt).Duration() < Every)
            return null;
        _readAt = now;
        try
        {
            return await DatabaseDeadline.HoldAsync(async token =>
                new EventsView(now, await events.ListOpenAsync(KnownEvents.OpenAtMost, token), await silences.ListInForceAsync(now, token)), Deadline, cancellationToken);
        }
        catch (Exception fault) when (DatabaseFaults.Covers(fault))
        {
            return null;
        }
    }
}
