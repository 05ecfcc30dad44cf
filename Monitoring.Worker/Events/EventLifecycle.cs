using System.Text.Json;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Events;

/// <summary>What a check does to the events: each as it is to be stored, and the changes to append.</summary>
internal sealed record EventUpdate(IReadOnlyList<SecurityEvent> Events, IReadOnlyList<SecurityEventChange> Changes)
{
    public static readonly EventUpdate None = new([], []);
}

/// <summary>
/// The state machine of security events, as a pure function: opened, seen again, escalated, resolved after clean checks. A failed check changes nothing,
/// a result that comes late counts for the time it belongs to.
/// </summary>
internal static class EventLifecycle
{
    /// <summary>
    /// Applies a result. <paramref name="known"/> holds the monitor's unresolved events and the latest event of each fingerprint found;
    /// <paramref name="now"/> is when this is recorded.
    /// </summary>
    public static EventUpdate Apply(IReadOnlyList<SecurityEvent> known, CheckResult result, int resolveAfter, DateTimeOffset now)
    {
        if (result.Run.Outcome != CheckOutcome.Succeeded)
            return EventUpdate.None;

        var found = result.Findings.GroupBy(finding => finding.Fingerprint).Select(same => same.MaxBy(finding => finding.Severity)!).ToList();
        var steps = found.Select(finding => See(Latest(known, finding.Fingerprint), finding, result.Run, now)).ToList();

        var notClean = found.Select(finding => finding.Fingerprint).Concat(result.Unjudged).ToHashSet();
        var unjudgedGroups = result.Unjudged.Where(unjudged => unjudged.EndsWith('*')).Select(unjudged => unjudged[..^1]).ToList();
        // Only the grid's checks count as clean: triggered ones come close together, and three seconds of calm are none.
        steps.AddRange(known
            .Where(e => result.Run.Trigger == CheckTrigger.Grid)
            .Where(e => e.Status != EventStatus.Resolved && e.Monitor == result.Run.Monitor && !notClean.Contains(e.Fingerprint)
                && !unjudgedGroups.Exists(group => e.Fingerprint.StartsWith(group, StringComparison.Ordinal)) && result.Run.ScheduledAt > e.JudgedAt)
            .Select(e => Miss(e, result.Run.ScheduledAt, resolveAfter, now)));
        return new EventUpdate([.. steps.Select(step => step.Event)], [.. steps.Select(step => step.Change).OfType<SecurityEventChange>()]);
    }

    private static SecurityEvent? Latest(IEnumerable<SecurityEvent> known, string fingerprint) =>
        known.Where(e => e.Fingerprint == fingerprint).OrderBy(e => e.Status == EventStatus.Resolved).ThenByDescending(e => e.FirstSeenAt).FirstOrDefault();

    private static (SecurityEvent Event, SecurityEventChange? Change) See(SecurityEvent? latest, Finding finding, CheckRun run, DateTimeOffset now)
    {
        if (latest is null || (latest.Status == EventStatus.Resolved && run.ScheduledAt > latest.ResolvedAt))
            return Open(finding, run, now);

        // A resolved event here means a late result from within its life: it is counted, and stays resolved.
        var newest = run.ScheduledAt >= latest.LastSeenAt;
        var seen = latest with
        {
            Occurrences = latest.Occurrences + 1,
            FirstSeenAt = Earlier(latest.FirstSeenAt, run.ScheduledAt),
            LastSeenAt = Later(latest.LastSeenAt, run.ScheduledAt),
            JudgedAt = Later(latest.JudgedAt, run.ScheduledAt),
            CleanChecks = latest.Status == EventStatus.Resolved ? latest.CleanChecks : 0,
            Indicators = newest ? finding.Evidence.Values.ToJsonString() : latest.Indicators,
            EstimatedLossUsd = Larger(latest.EstimatedLossUsd, finding.EstimatedLossUsd),
            RelatedAddresses = [.. latest.RelatedAddresses.Union(finding.RelatedAddresses)],
        };
        if (finding.Severity <= latest.Severity || latest.Status == EventStatus.Resolved)
            return (seen, null);

        var escalated = seen with
        {
            Severity = finding.Severity, ThreatType = finding.ThreatType, RuleVersion = finding.RuleVersion,
            Title = finding.Title, Description = finding.Description,
        };
        return (escalated, Change(escalated, run.ScheduledAt, now, ChangeKind.Escalated, finding.Title, finding.Evidence));
    }

    private static (SecurityEvent, SecurityEventChange) Open(Finding finding, CheckRun run, DateTimeOffset now)
    {
        var opened = new SecurityEvent(
            StableId.Of(run.ScheduledAt, finding.Fingerprint), finding.Fingerprint, run.Monitor, finding.RuleId, finding.RuleVersion, finding.ThreatType, finding.Severity, EventStatus.Open,
            finding.Subject, finding.Title, finding.Description, finding.Evidence.Values.ToJsonString(), [.. finding.RelatedAddresses], finding.EstimatedLossUsd,
            Occurrences: 1, CleanChecks: 0, run.ScheduledAt, run.ScheduledAt, run.ScheduledAt, null, null, null, null);
        return (opened, Change(opened, run.ScheduledAt, now, ChangeKind.Opened, finding.Title, finding.Evidence));
    }

    private static (SecurityEvent, SecurityEventChange?) Miss(SecurityEvent open, DateTimeOffset scheduledAt, int resolveAfter, DateTimeOffset now)
    {
        var missed = open with { CleanChecks = open.CleanChecks + 1, JudgedAt = scheduledAt };
        if (missed.CleanChecks < resolveAfter)
            return (missed, null);

        var resolved = missed with { Status = EventStatus.Resolved, ResolvedAt = scheduledAt, Resolution = $"not found in {missed.CleanChecks} successful checks in a row" };
        return (resolved, Change(resolved, scheduledAt, now, ChangeKind.Resolved, resolved.Resolution, evidence: null));
    }

    private static SecurityEventChange Change(SecurityEvent e, DateTimeOffset scheduledAt, DateTimeOffset now, ChangeKind kind, string? note, Evidence? evidence) =>
        new(Seq: 0, e.EventId, now, scheduledAt, kind, e.Severity, Actor: "worker", note, evidence is null ? null : JsonSerializer.Serialize(evidence, CheckResult.Json));

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static decimal? Larger(decimal? a, decimal? b) => a is null || b > a ? b ?? a : a;
}
