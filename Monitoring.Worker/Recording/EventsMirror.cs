using Monitoring.Data.Database;
using Monitoring.Data.Events;
using Monitoring.Data.Notifications;
using Monitoring.Worker.Events;

namespace Monitoring.Worker.Recording;

/// <summary>Reads again and again which events are open and silenced, since other workers and operators change them too: while the database is away nobody can ask.</summary>
internal sealed class EventsMirror(SecurityEvents events, SecurityEventChanges changes, Silences silences, TimeProvider clock)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private DateTimeOffset _readAt = DateTimeOffset.MinValue;
    private EventsView? _view;
    private long _seq;

    /// <summary>What the database says, when it was not asked for some seconds; null otherwise, and when it does not answer.</summary>
    public async Task<EventsView?> ReadIfDueAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if ((now - _readAt).Duration() < Every)
            return null;
        _readAt = now;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Timeout);
        try
        {
            var seq = await changes.FindNewestSeqAsync(timeout.Token);
            var open = _view is not null && seq == _seq ? _view.Open : await events.ListOpenAsync(KnownEvents.OpenAtMost, timeout.Token);
            (_view, _seq) = (new EventsView(now, open, await silences.ListInForceAsync(now, timeout.Token)), seq);
            return _view;
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested && (DatabaseFaults.Covers(fault) || fault is OperationCanceledException))
        {
            return null;
        }
    }
}
