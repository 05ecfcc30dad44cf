using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Notifications;

namespace Monitoring.Worker.Recording;

/// <summary>The recorder of <c>--no-database</c>: events live in this process, its log and the messages that it sends; nothing is stored.</summary>
internal sealed class MemoryRecorder(
    EventOptions options, RuleCatalog rules, MemoryOutbox outbox, EventLog log, SessionStatistics statistics, TimeProvider clock)
        : IRecorder
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SecurityEvent> _latest = [];

    /// <inheritdoc/>
    public Task RecordAsync(CheckResult result, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var update = EventLifecycle.Apply(_latest.Values, result, options.ResolveAfter, rules, clock.GetUtcNow());
            foreach (var changed in update.Events)
                _latest[changed.Fingerprint] = changed;
            statistics.CountRecorded(wasNew: true, update.Changes.Count);
            log.Write(update);
            outbox.Add(update);
        }

        return Task.CompletedTask;
    }
}
