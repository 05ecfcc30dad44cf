using Monitoring.Data.Checks;
using Monitoring.Data.Configuration;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;
using Monitoring.Worker.Recording.Journalling;

namespace Monitoring.Worker.Recording;

/// <summary>
/// The pipeline's own health, as results like those of any monitor: at once when something goes wrong, then as long as it lasts, then until
/// its events are resolved. While all is well there is none.
/// </summary>
internal sealed class RecordingHealth(
    DatabaseLink link, RecordingQueue queue, EventSnapshot snapshot, JournalOptions journal, DatabaseOptions database, EventOptions events,
    WorkerIdentity identity, SessionStatistics statistics, IEnumerable<MonitorSchedule> monitors, TimeProvider clock)
{
    /// <summary>The name in the ledger. It is no scheduled monitor: it has rows only where something was wrong.</summary>
    public const string MonitorName = "recorder";

    /// <summary>How often it looks.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    // A newest look that lies further ahead was made before the clock was set back.
    private static readonly TimeSpan SetBack = 2 * Every;

    private readonly Lock _lock = new();
    private DateTimeOffset _newest = DateTimeOffset.MinValue;
    private int _clean; // 0 at the start: an earlier run may have left an open event

    /// <summary>Looks at the beginning of an outage, or null where it just did.</summary>
    public CheckResult? LookAt(DatabaseOutage outage)
    {
        // In whole milliseconds, and never at a time of the grid: neither it nor another worker's may stand in for a look of the grid.
        var at = new DateTimeOffset(outage.Since.UtcTicks - (outage.Since.UtcTicks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);
        return Look(at == GridTime(at) ? at.AddMilliseconds(1) : at, CheckTrigger.Feed);
    }

    /// <summary>Looks, unless it did since the last grid time.</summary>
    public CheckResult? LookIfDue() => Look(GridTime(clock.GetUtcNow()), CheckTrigger.Grid);

    // Of these the results are in the journal: an alarm that they are blind would be about the database.
    private IReadOnlyList<string> Seeing(DateTimeOffset now) => [.. monitors
        .Where(monitor => statistics.Find(monitor.Name)?.LastSuccessAt is { } at && !MonitorFreshness.IsStale(monitor.Interval, now - at))
        .Select(monitor => monitor.Name)];

    private static DateTimeOffset GridTime(DateTimeOffset at) => new CheckGrid(Every).AtOrBefore(at);

    private string JournalName => identity.SubjectOf(journal.Path);

    // Each worker has a journal of its own, and all record under this monitor's name: what one of them finds is not for another to resolve.
    private IEnumerable<string> OthersFingerprints() => snapshot.Open
        .Where(e => e.Monitor == MonitorName && RecordingHealthRules.IsOfJournal(e.RuleId) && e.Subject != JournalName)
        .Select(e => e.Fingerprint);

    private CheckResult? Look(DateTimeOffset at, CheckTrigger trigger)
    {
        lock (_lock)
        {
            if (at <= _newest && _newest - at < SetBack)
                return null;
            _newest = at;
            var now = clock.GetUtcNow();
            var findings = RecordingHealthRules.Evaluate(
                new RecordingState(
                    database.Display, link.Outage, JournalName, queue.Fault, queue.SetAside, queue.Waiting, Seeing(now))
                {
                    Incident = queue.Incident,
                }, now);
            _clean = findings.Count > 0 ? 0 : _clean + 1;
            if (_clean > events.ResolveAfter)
                return null;
            var run = new CheckRun(
                MonitorName, at, trigger, now, now, CheckOutcome.Succeeded, Observations: 0, findings.Count, Error: null, identity.Name);
            return new CheckResult(run, [], findings, [.. OthersFingerprints()]);
        }
    }
}
