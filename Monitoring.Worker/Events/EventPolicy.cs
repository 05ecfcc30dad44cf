using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Notifications;
using Monitoring.Worker.Recording;
using Monitoring.Worker.Watching;

namespace Monitoring.Worker.Events;

/// <summary>
/// Everything that a result does to the events, decided in one place for the database, for an outage and for a worker without a database:
/// the state machine, what speaks for what, and of what people are reminded.
/// </summary>
internal sealed class EventPolicy(EventOptions options, RuleCatalog rules, NotificationRouting routing)
{
    /// <summary>Whether people are reminded with this result.</summary>
    public static bool Reminds(CheckRun run) =>
        run is { Monitor: WatchdogMonitor.MonitorName, Trigger: CheckTrigger.Grid, Outcome: CheckOutcome.Succeeded };

    /// <summary>Whether this result may change what inhibits what.</summary>
    public bool Inhibits(CheckResult result) => result.Run.Outcome == CheckOutcome.Succeeded && result.Findings
        .Select(finding => finding.RuleId).Distinct().Any(rule => rules.Inhibits(rule) || rules.CanBeInhibited(rule));

    /// <summary>The fingerprints of events that the findings of a result may speak for.</summary>
    public IEnumerable<string> Covered(CheckResult result) => result.Findings.Where(finding => finding.Covers.Count > 0)
        .SelectMany(finding => rules.InhibitedBy(finding.RuleId)
            .SelectMany(rule => finding.Covers.Select(subject => Finding.FingerprintOf(rule, subject)))).Distinct();

    /// <summary>Which events may be due to be reminded of at a moment, by when people last heard of them.</summary>
    public IReadOnlyList<ReminderDue> Due(DateTimeOffset at) =>
        [.. options.Remind.Select(remind => new ReminderDue(remind.Key, at - remind.Value))];

    /// <summary>
    /// What a result does to the events. <paramref name="known"/> are the monitor's unresolved events, the latest of each fingerprint
    /// found, and of other monitors those that <see cref="RelatedEvents"/> names; <paramref name="now"/> is when it is recorded.
    /// </summary>
    public EventUpdate Decide(
        IReadOnlyCollection<SecurityEvent> known, CheckResult result, Func<SecurityEvent, bool> isHeld, DateTimeOffset now)
    {
        var update = EventLifecycle.Apply(known, result, options.ResolveAfter, rules, now);
        if (Inhibits(result))
            update = Inhibition.Apply(update, known, rules, options.Inhibit);
        return Reminds(result.Run) ? Reminders.Apply(update, known, options, routing, isHeld, rules, result.Run.ScheduledAt, now)
            : update;
    }
}
