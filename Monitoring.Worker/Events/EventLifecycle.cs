using System.Text.Json;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Events;

/// <summary>
/// The state machine of security events, as a pure function: opened, seen again, escalated, worsened, and ended as the lifetime of its rule
/// says: after clean checks, or when nothing was found for a time. What opens again and again flaps: it is held open until nothing was
/// found for an hour. A failed check changes nothing, a result that comes late counts for the time it belongs to.
/// </summary>
internal static class EventLifecycle
{
    private const int FlapsFrom = 4; // openings of one fingerprint within the time below
    private static readonly TimeSpan FlapsWithin = TimeSpan.FromHours(1);

    /// <summary>Whether this event is one opening too many: it is held open.</summary>
    public static bool IsFlapping(this SecurityEvent e) => e.EarlierOpenings is { Length: >= FlapsFrom - 1 };

    /// <summary>
    /// Applies a result, in a time that grows with its findings and the events known, and no faster. <paramref name="known"/> holds the
    /// monitor's unresolved events and the latest event of each fingerprint found; <paramref name="now"/> is when this is recorded.
    /// </summary>
    public static EventUpdate Apply(
        IReadOnlyCollection<SecurityEvent> known, CheckResult result, int resolveAfter, RuleCatalog rules, DateTimeOffset now)
    {
        if (result.Run.Outcome != CheckOutcome.Succeeded)
            return EventUpdate.None;

        var run = result.Run;
        // What a wrong clock has put ahead of now must not keep a finding from opening an event or a clean check from ending one.
        var newest = run.ScheduledAt > now ? run.ScheduledAt : now;
        known = [.. known.Select(e => NotAhead(e, newest, run.ScheduledAt))];
        var latest = LatestByFingerprint(known);
        var found = result.Findings.GroupBy(finding => finding.Fingerprint)
            .ToDictionary(same => same.Key, same => same.MaxBy(finding => finding.IsHolding ? -1 : (int)finding.Severity)!);
        var steps = found.Select(one => See(latest.GetValueOrDefault(one.Key), one.Value, one.Key, run, rules, now)).ToList();
        // Only the grid's checks speak for an end: triggered ones come close together, and three seconds of calm are none.
        if (run.Trigger == CheckTrigger.Grid)
        {
            var unjudged = new FingerprintEntries(result.Unjudged);
            var measured = new Lazy<FingerprintEntries>(() => new FingerprintEntries([.. result.Measured.Keys])); // few checks end events
            var missed = known
                .Where(e => e.Status != EventStatus.Resolved && e.Monitor == run.Monitor && !found.ContainsKey(e.Fingerprint))
                .Select(e => rules.LifetimeOf(e.RuleId) is { Kind: LifetimeKind.Occurrence, ExpiresAfter: { } expiry }
                    ? Expire(e, expiry, run.ScheduledAt, rules, now)
                    : run.ScheduledAt > e.JudgedAt && !unjudged.Contains(e.Fingerprint)
                        ? Miss(e, result, measured, resolveAfter, rules, now)
                    : null)
                .ToLookup(step => step?.Change is not null);
            steps.AddRange(missed[false]);
            steps.AddRange(missed[true].OrderBy(step => step!.Event.EventId)); // whatever order the known ones came in
        }

        var taken = steps.OfType<Step>().ToList();
        return new EventUpdate([.. taken.Where(step => step.OnlyMoves).Select(step => step.Event)],
            [.. taken.Where(step => !step.OnlyMoves).Select(step => step.Event)], [], [],
            [.. taken.SelectMany(step => (SecurityEventChange?[])[step.Change, step.Further]).OfType<SecurityEventChange>()]);
    }

    private static SecurityEvent NotAhead(SecurityEvent e, DateTimeOffset now, DateTimeOffset scheduledAt)
    {
        if (!e.JudgedAt.IsAhead(now) && !e.LastSeenAt.IsAhead(now) && e.ResolvedAt?.IsAhead(now) != true
            && e.WorsenedAt?.IsAhead(now) != true)
            return e;
        var before = scheduledAt.AddTicks(-TimeSpan.TicksPerMillisecond);
        return e with
        {
            FirstSeenAt = Earlier(e.FirstSeenAt, before), LastSeenAt = Earlier(e.LastSeenAt, before),
            JudgedAt = Earlier(e.JudgedAt, before), ResolvedAt = e.ResolvedAt is { } resolved ? Earlier(resolved, before) : null,
            WorstAt = e.WorstAt is { } worst ? Earlier(worst, before) : null,
            WorsenedAt = e.WorsenedAt is { } told && !told.IsAhead(now) ? told : null,
        };
    }

    // An event as it now is, and what changed; OnlyMoves: nothing but counts, times, newest values, loss, and that they are its worst.
    private sealed record Step(
        SecurityEvent Event, SecurityEventChange? Change, bool OnlyMoves = false, SecurityEventChange? Further = null);

    private static Dictionary<string, SecurityEvent> LatestByFingerprint(IReadOnlyCollection<SecurityEvent> known)
    {
        var latest = new Dictionary<string, SecurityEvent>(known.Count);
        foreach (var e in known)
            if (!latest.TryGetValue(e.Fingerprint, out var other) || IsLater(e, other))
                latest[e.Fingerprint] = e;
        return latest;
    }

    private static bool IsLater(SecurityEvent e, SecurityEvent other) =>
        (e.Status != EventStatus.Resolved, e.FirstSeenAt).CompareTo((other.Status != EventStatus.Resolved, other.FirstSeenAt)) > 0;

    private static Step? See(
        SecurityEvent? latest, Finding finding, string fingerprint, CheckRun run, RuleCatalog rules, DateTimeOffset now)
    {
        if (latest is null || (latest.Status == EventStatus.Resolved && run.ScheduledAt > latest.ResolvedAt))
            return finding.IsHolding ? null : Open(latest, finding, fingerprint, run, rules, now);

        // A resolved event here means a late result from within its life: it is counted, and stays resolved.
        var newest = run.ScheduledAt >= latest.LastSeenAt;
        var seen = latest with
        {
            Occurrences = latest.Occurrences + (finding.IsHolding ? 0 : 1),
            FirstSeenAt = Earlier(latest.FirstSeenAt, run.ScheduledAt),
            LastSeenAt = Later(latest.LastSeenAt, run.ScheduledAt),
            JudgedAt = Later(latest.JudgedAt, run.ScheduledAt),
            CleanChecks = latest.Status == EventStatus.Resolved ? latest.CleanChecks : 0,
            Indicators = newest ? finding.Evidence.Values.ToJsonString() : latest.Indicators,
            EstimatedLossUsd = Larger(latest.EstimatedLossUsd, finding.EstimatedLossUsd),
        };
        seen = EventMeasures.See(seen, finding, rules, run.ScheduledAt, newest);
        var grown = finding.RelatedAddresses.Except(latest.RelatedAddresses).Any();
        if (grown)
            seen = seen with { RelatedAddresses = [.. latest.RelatedAddresses.Union(finding.RelatedAddresses)] };
        if (newest && (finding.Covers.Count > 0 || (latest.Covers is not null && !finding.IsHolding))
            && Covers(latest.Covers, finding, rules) is var covers && !(covers ?? []).SequenceEqual(latest.Covers ?? []))
            (seen, grown) = (seen with { Covers = covers }, true);
        var onlyMoves = !grown && (seen.Measure, seen.ToldMeasure) == (latest.Measure, latest.ToldMeasure)
            && (seen.WorstAt == latest.WorstAt || seen.WorstAt == seen.LastSeenAt);
        if (finding.IsHolding || latest.Status == EventStatus.Resolved)
            return new Step(seen, null, onlyMoves);
        if (finding.Severity > latest.Severity)
            return Tell(seen with { Severity = finding.Severity, ThreatType = finding.ThreatType, AskedAfter = 0 }, ChangeKind.Escalated);
        return newest && EventMeasures.HasWorsened(seen, rules, run.ScheduledAt)
            ? Tell(seen with { WorsenedAt = run.ScheduledAt }, ChangeKind.Worsened)
            : new Step(seen, null, onlyMoves);

        Step Tell(SecurityEvent e, ChangeKind kind)
        {
            var told = EventMeasures.Told(e) with { RuleVersion = finding.RuleVersion, NotifiedAt = run.ScheduledAt };
            return new Step(told, Change(told, run.ScheduledAt, now, kind, finding.Title, finding.Evidence));
        }
    }

    // What happened speaks for all that it has covered, a condition for what it covers now.
    private static string[]? Covers(string[]? earlier, Finding finding, RuleCatalog rules)
    {
        string[] covers = rules.LifetimeOf(finding.RuleId).Kind == LifetimeKind.Occurrence
            ? [.. (earlier ?? []).Union(finding.Covers)]
            : [.. finding.Covers.Distinct()];
        return covers.Length == 0 ? null : covers;
    }

    private static Step Open(
        SecurityEvent? latest, Finding finding, string fingerprint, CheckRun run, RuleCatalog rules, DateTimeOffset now)
    {
        var openings = latest is null ? []
            : (latest.EarlierOpenings ?? []).Append(latest.FirstSeenAt).Where(at => at >= run.ScheduledAt - FlapsWithin)
                .TakeLast(FlapsFrom - 1).ToArray();
        var opened = EventMeasures.Begin(new SecurityEvent(
            StableId.Of(run.ScheduledAt, fingerprint), fingerprint, run.Monitor, finding.RuleId, finding.RuleVersion, finding.ThreatType,
            finding.Severity, EventStatus.Open, finding.Subject.Text, finding.Title, finding.Description,
            finding.Evidence.Values.ToJsonString(),
            [.. finding.RelatedAddresses], finding.EstimatedLossUsd,
            Occurrences: 1, CleanChecks: 0, run.ScheduledAt, run.ScheduledAt, run.ScheduledAt, null, null, null, null,
            finding.Subject.Kind, finding.Subject.Network, finding.Subject.Account, finding.Subject.Id, finding.TransactionHash,
            finding.Labels.Count == 0 ? "{}" : JsonSerializer.Serialize(finding.Labels),
            finding.Covers.Count == 0 ? null : [.. finding.Covers.Distinct()], EarlierOpenings: openings.Length == 0 ? null : openings),
            finding, rules, run.ScheduledAt);
        var change = Change(opened, run.ScheduledAt, now, ChangeKind.Opened, finding.Title, finding.Evidence);
        if (!opened.IsFlapping())
            return new Step(opened, change);
        var why = $"opened {openings.Length + 1} times within {FlapsWithin.TotalMinutes:0} min, so it is held open until it was not found "
            + "for as long";
        return new Step(
            opened, change, Further: Change(opened, run.ScheduledAt, now, ChangeKind.Flapping, why, finding.Evidence));
    }

    private static Step Miss(
        SecurityEvent open, CheckResult clean, Lazy<FingerprintEntries> measured, int resolveAfter, RuleCatalog rules, DateTimeOffset now)
    {
        var scheduledAt = clean.Run.ScheduledAt;
        var missed = open with { CleanChecks = open.CleanChecks + 1, JudgedAt = scheduledAt };
        var isHeld = open.IsFlapping() && scheduledAt < open.LastSeenAt + FlapsWithin;
        return missed.CleanChecks < resolveAfter || isHeld ? new Step(missed, null, OnlyMoves: true)
            : End(missed, ChangeKind.Resolved, scheduledAt, now, EventWords.Ending(missed,
                clean.Endings.GetValueOrDefault(open.Fingerprint) ?? $"not found in {missed.CleanChecks} successful checks in a row",
                scheduledAt, measured.Value.Find(open.Fingerprint) is { } entry ? clean.Measured[entry] : null, rules));
    }

    // What happened is over when nothing new has happened for its time; that it was not found now says nothing more, nor that it was not
    // judged.
    private static Step? Expire(
        SecurityEvent open, TimeSpan lifetime, DateTimeOffset scheduledAt, RuleCatalog rules, DateTimeOffset now)
    {
        var expiry = open.IsFlapping() && lifetime < FlapsWithin ? FlapsWithin : lifetime;
        return scheduledAt < open.LastSeenAt + expiry ? null
            : End(open with { JudgedAt = Later(open.JudgedAt, scheduledAt) }, ChangeKind.Expired, scheduledAt, now,
                EventWords.Ending(open, $"nothing new within {expiry.TotalMinutes:0.##} min", scheduledAt, measured: null, rules));
    }

    private static Step End(SecurityEvent e, ChangeKind kind, DateTimeOffset scheduledAt, DateTimeOffset now, string why)
    {
        var ended = e with { Status = EventStatus.Resolved, ResolvedAt = scheduledAt, Resolution = why };
        return new Step(ended, Change(ended, scheduledAt, now, kind, why, evidence: null));
    }

    private static SecurityEventChange Change(
        SecurityEvent e, DateTimeOffset scheduledAt, DateTimeOffset now, ChangeKind kind, string? note, Evidence? evidence) =>
        new(Seq: 0, e.EventId, now, scheduledAt, kind, e.Severity, Actor: "worker", note,
            evidence is null ? null : JsonSerializer.Serialize(evidence, CheckResult.Json));

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;

    private static decimal? Larger(decimal? a, decimal? b) => a is null || b > a ? b ?? a : a;
}
