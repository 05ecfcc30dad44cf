using System.Text.Json.Nodes;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;

namespace Monitoring.Tests.Events;

public sealed class EventLifecycleTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private readonly RuleCatalog _rules = new(
    [
        RuleSample.With("level", EventLifetime.Level), RuleSample.With("occurrence", EventLifetime.Occurrence(TimeSpan.FromMinutes(30))),
    ]);

    private readonly Dictionary<Guid, SecurityEvent> _events = [];
    private readonly List<(ChangeKind Kind, Severity Severity, DateTimeOffset? At)> _changes = [];

    private DateTimeOffset _now = Noon.AddHours(2);

    private SecurityEvent Only => _events.Values.Single();

    private void Check(int minute, params Finding[] findings) => Check(minute, CheckOutcome.Succeeded, [], findings);

    private void Check(int minute, CheckOutcome outcome, string[] unjudged, params Finding[] findings)
    {
        var update = EventLifecycle.Apply([.. _events.Values], ResultSample.Of("m", Noon.AddMinutes(minute), outcome, findings, unjudged),
            resolveAfter: 3, _rules, _now);
        foreach (var changed in update.Events)
            _events[changed.EventId] = changed;
        _changes.AddRange(update.Changes.Select(change => (change.Kind, change.Severity, change.ScheduledAt)));
    }

    private static Finding Found(Severity severity = Severity.High, string subject = "s", string rule = "r") =>
        ResultSample.Finding(rule, subject, severity);

    [Test]
    public void First_finding_opens_and_the_next_is_the_same_event()
    {
        Check(0, Found());
        Check(1, Found());
        Assert.That((Only.Status, Only.Occurrences, Only.FirstSeenAt, Only.LastSeenAt),
            Is.EqualTo((EventStatus.Open, 2L, Noon, Noon.AddMinutes(1))));
        Assert.That(_changes, Is.EqualTo(new[] { (ChangeKind.Opened, Severity.High, (DateTimeOffset?)Noon) }));
    }

    [Test]
    public void Severity_rises_with_a_change_and_does_not_fall()
    {
        Check(0, Found(Severity.Medium));
        Check(1, Found(Severity.Critical));
        Check(2, Found(Severity.Low));
        Assert.That((Only.Severity, _changes.Count, _changes[1].Kind), Is.EqualTo((Severity.Critical, 2, ChangeKind.Escalated)));
    }

    [Test]
    public void Third_clean_check_in_a_row_resolves()
    {
        Check(0, Found());
        Check(1);
        Check(2);
        Assert.That(Only.Status, Is.EqualTo(EventStatus.Open));
        Check(3);
        Assert.That((Only.Status, Only.ResolvedAt, _changes[^1].Kind),
            Is.EqualTo((EventStatus.Resolved, (DateTimeOffset?)Noon.AddMinutes(3), ChangeKind.Resolved)));
    }

    [Test]
    public void Finding_in_between_starts_the_count_anew()
    {
        Check(0, Found());
        Check(1);
        Check(2);
        Check(3, Found());
        Check(4);
        Check(5);
        Assert.That(Only.Status, Is.EqualTo(EventStatus.Open));
    }

    [Test]
    public void Triggered_checks_confirm_and_open_but_however_many_are_clean_they_resolve_nothing()
    {
        Triggered(0, Found());
        Assert.That((Only.Status, Only.Occurrences), Is.EqualTo((EventStatus.Open, 1L)));
        Check(1);
        Check(2);
        for (var second = 1; second < 50; second++)
            Triggered(120 + second);
        Assert.That((Only.Status, Only.CleanChecks), Is.EqualTo((EventStatus.Open, 2)));
        Triggered(170, Found());
        Check(3);
        Check(4);
        Assert.That((Only.Status, Only.CleanChecks), Is.EqualTo((EventStatus.Open, 2)), "a finding of theirs begins the count anew");
        Check(5);
        Assert.That(Only.Status, Is.EqualTo(EventStatus.Resolved));
    }

    private void Triggered(int second, params Finding[] findings)
    {
        var grid = ResultSample.Of("m", Noon.AddSeconds(second), CheckOutcome.Succeeded, findings, []);
        var update = EventLifecycle.Apply([.. _events.Values], grid with { Run = grid.Run with { Trigger = CheckTrigger.Feed } },
            resolveAfter: 3, _rules, Noon.AddHours(1));
        foreach (var changed in update.Events)
            _events[changed.EventId] = changed;
    }

    [TestCase(CheckOutcome.Failed)]
    [TestCase(CheckOutcome.TimedOut)]
    public void Failed_check_neither_confirms_nor_resolves(CheckOutcome outcome)
    {
        Check(0, Found());
        Check(1);
        Check(2);
        for (var minute = 3; minute < 30; minute++)
            Check(minute, outcome, []);
        Assert.That((Only.Status, Only.Occurrences, Only.CleanChecks), Is.EqualTo((EventStatus.Open, 1L, 2)));
        Check(30);
        Assert.That(Only.Status, Is.EqualTo(EventStatus.Resolved));
    }

    [Test]
    public void Rule_that_could_not_be_judged_is_not_clean()
    {
        Check(0, Found());
        for (var minute = 1; minute < 10; minute++)
            Check(minute, CheckOutcome.Succeeded, ["r:s"]);
        Assert.That((Only.Status, Only.CleanChecks), Is.EqualTo((EventStatus.Open, 0)));
    }

    [Test]
    public void Group_that_could_not_be_judged_is_not_clean_and_the_others_are()
    {
        Check(0, Found(subject: "component:ETH"), Found(subject: "other:ETH"));
        for (var minute = 1; minute < 4; minute++)
            Check(minute, CheckOutcome.Succeeded, ["r:component:*"]);
        Assert.That(_events.Values.Select(e => (e.Subject, e.Status)),
            Is.EquivalentTo(new[] { ("component:ETH", EventStatus.Open), ("other:ETH", EventStatus.Resolved) }));
    }

    [Test]
    public void Finding_after_the_resolution_is_a_new_event()
    {
        Check(0, Found());
        Check(1);
        Check(2);
        Check(3);
        Check(4, Found());
        Assert.That(_events, Has.Count.EqualTo(2));
        Assert.That(_events.Values.Count(e => e.Status == EventStatus.Open), Is.EqualTo(1));
    }

    [Test]
    public void Late_finding_counts_for_its_time_and_opens_nothing()
    {
        Check(0, Found());
        Check(2);
        Check(3);
        Check(4);
        Check(1, Found());
        Assert.That((Only.Status, Only.Occurrences, Only.LastSeenAt), Is.EqualTo((EventStatus.Resolved, 2L, Noon.AddMinutes(1))));
        Assert.That(_changes, Has.Count.EqualTo(2));
    }

    [Test]
    public void Times_that_lie_ahead_of_now_hide_no_finding_and_keep_no_event_open()
    {
        Check(0, Found(), Found(subject: "open"));
        _now = Noon.AddDays(27); // a clock that was wrong for four checks
        foreach (var minute in new[] { 0, 1, 2, 3 })
            Check((27 * 24 * 60) + minute, Found(subject: "open"));
        Assert.That(_events.Values.Single(e => e.Subject == "s").Status, Is.EqualTo(EventStatus.Resolved));
        _now = Noon.AddMinutes(5);
        Check(1, Found());
        Assert.That(_events.Values.Where(e => e.Subject == "s").Select(e => e.Status),
            Is.EquivalentTo(new[] { EventStatus.Resolved, EventStatus.Open }), "it is found again, and that is said");
        foreach (var minute in new[] { 2, 3, 4 })
            Check(minute);
        Assert.That(_events.Values.Select(e => e.Status), Is.All.EqualTo(EventStatus.Resolved));
    }

    [Test]
    public void Finding_that_comes_late_keeps_an_open_event_open_and_reopens_none()
    {
        Check(60, Found(), Found(subject: "other"));
        foreach (var minute in new[] { 61, 62, 63 })
            Check(minute, Found());
        foreach (var minute in new[] { 1, 2, 3, 4 })
            Check(minute, Found(subject: "other"));
        Assert.That(_events.Values.Select(e => (e.Subject, e.Status)),
            Is.EquivalentTo(new[] { ("s", EventStatus.Open), ("other", EventStatus.Resolved) }));
        Check(64, Found(subject: "other"));
        Assert.That(_events.Values.Count(e => e.Subject == "other"), Is.EqualTo(2),
            "after the end of the first, by the time of the ledger");
    }

    [Test]
    public void Late_clean_check_from_before_the_finding_does_not_count()
    {
        Check(5, Found());
        Check(1);
        Check(2);
        Check(3);
        Assert.That((Only.Status, Only.CleanChecks), Is.EqualTo((EventStatus.Open, 0)));
    }

    [Test]
    public void Late_finding_moves_the_beginning_back()
    {
        Check(5, Found());
        Check(4, Found());
        Assert.That((Only.FirstSeenAt, Only.LastSeenAt, Only.Occurrences), Is.EqualTo((Noon.AddMinutes(4), Noon.AddMinutes(5), 2L)));
    }

    [Test]
    public void Subjects_and_rules_have_events_of_their_own()
    {
        Check(0, Found(subject: "a"), Found(subject: "b"), Found(rule: "q", subject: "a"));
        Assert.That(_events.Values.Select(e => e.Fingerprint), Is.EquivalentTo(new[] { "r:a", "r:b", "q:a" }));
    }

    [Test]
    public void Same_finding_twice_in_one_check_counts_once_with_the_higher_severity()
    {
        Check(0, Found(Severity.Low), Found(Severity.Critical));
        Assert.That((Only.Severity, Only.Occurrences), Is.EqualTo((Severity.Critical, 1L)));
    }

    [Test]
    public void Acknowledged_event_escalates_and_stays_acknowledged()
    {
        Check(0, Found(Severity.High));
        _events[Only.EventId] = Only with { Status = EventStatus.Acknowledged, AcknowledgedAt = Noon, AcknowledgedBy = "ada" };
        Check(1, Found(Severity.Critical));
        Assert.That((Only.Status, Only.Severity, _changes[^1].Kind),
            Is.EqualTo((EventStatus.Acknowledged, Severity.Critical, ChangeKind.Escalated)));
    }

    private static Finding Holding(string rule = "level") => Found(Severity.Medium, rule: rule) with { IsHolding = true };

    [Test]
    public void Holding_finding_opens_nothing_and_raises_nothing()
    {
        Check(0, Holding());
        Assert.That(_events, Is.Empty);
        Check(1, Found(Severity.Low, rule: "level"));
        Check(2, Holding());
        Assert.That((Only.Severity, Only.Occurrences, Only.LastSeenAt, _changes.Count),
            Is.EqualTo((Severity.Low, 1L, Noon.AddMinutes(2), 1)));
    }

    [Test]
    public void Level_that_is_held_stays_open_and_is_resolved_after_clean_checks_below_its_resolve_threshold()
    {
        Check(0, Found(rule: "level"));
        Check(1);
        Check(2);
        for (var minute = 3; minute < 10; minute++)
            Check(minute, Holding());
        Check(10);
        Check(11);
        Assert.That((Only.Status, Only.CleanChecks), Is.EqualTo((EventStatus.Open, 2)));
        Check(12);
        Assert.That((Only.Status, _changes[^1].Kind), Is.EqualTo((EventStatus.Resolved, ChangeKind.Resolved)));
        Check(13, Holding());
        Assert.That(_events, Has.Count.EqualTo(1));
    }

    [Test]
    public void Finding_of_the_same_check_counts_before_one_that_only_holds()
    {
        Check(0, Holding(), Found(Severity.Info, rule: "level"), Holding());
        Assert.That((Only.Severity, Only.Status), Is.EqualTo((Severity.Info, EventStatus.Open)));
    }

    [Test]
    public void Occurrence_expires_when_nothing_new_was_found_for_its_time_and_clean_checks_do_not_count()
    {
        Check(0, Found(rule: "occurrence"));
        Check(20, Found(rule: "occurrence"));
        for (var minute = 21; minute < 50; minute++)
            Check(minute);
        Assert.That((Only.Status, Only.CleanChecks, Only.JudgedAt), Is.EqualTo((EventStatus.Open, 0, Noon.AddMinutes(20))));
        Check(50);
        Assert.That((Only.Status, Only.ResolvedAt, Only.Resolution),
            Is.EqualTo((EventStatus.Resolved, (DateTimeOffset?)Noon.AddMinutes(50), "nothing new within 30 min; open for 50 min")));
        Assert.That(_changes.Select(change => change.Kind), Is.EqualTo(new[] { ChangeKind.Opened, ChangeKind.Expired }));
        Check(51, Found(rule: "occurrence"));
        Assert.That(_events, Has.Count.EqualTo(2));
    }

    [Test]
    public void Occurrence_expires_also_when_its_rule_could_not_be_judged_but_not_by_a_failed_or_triggered_check()
    {
        Check(0, Found(rule: "occurrence"));
        Check(60, CheckOutcome.Failed, []);
        Triggered(61 * 60);
        Assert.That(Only.Status, Is.EqualTo(EventStatus.Open));
        Check(62, CheckOutcome.Succeeded, ["occurrence:*"]);
        Assert.That((Only.Status, _changes[^1].Kind), Is.EqualTo((EventStatus.Resolved, ChangeKind.Expired)));
    }

    [Test]
    public void Late_finding_of_an_expired_occurrence_counts_for_its_time()
    {
        Check(0, Found(rule: "occurrence"));
        Check(30);
        Check(10, Found(rule: "occurrence"));
        Assert.That((Only.Status, Only.Occurrences, Only.LastSeenAt), Is.EqualTo((EventStatus.Resolved, 2L, Noon.AddMinutes(10))));
    }

    [Test]
    public void Event_whose_addresses_grow_or_whose_state_changes_is_rewritten_and_others_only_move()
    {
        Check(0, Found(), Found(subject: "missed"), Found(subject: "grown"), Found(subject: "raised"));
        var update = EventLifecycle.Apply([.. _events.Values], ResultSample.Of("m", Noon.AddMinutes(1), CheckOutcome.Succeeded,
            [Found(), Found(subject: "grown") with { RelatedAddresses = ["other"] }, Found(Severity.Critical, "raised"),
                Found(subject: "new")], []), 3, _rules, Noon);
        Assert.That(update.Moved.Select(e => e.Subject), Is.EquivalentTo(new[] { "s", "missed" }));
        Assert.That(update.Rewritten.Select(e => e.Subject), Is.EquivalentTo(new[] { "grown", "raised", "new" }));
        Assert.That(update.Changes.Select(change => (update.EventOf(change).Subject, change.Kind)),
            Is.EqualTo(new[] { ("raised", ChangeKind.Escalated), ("new", ChangeKind.Opened) }));
    }

    [Test]
    public void Event_keeps_the_parts_of_its_subject()
    {
        Check(0, Found() with { Subject = new EventSubject("position", "xyz:BTC", "0xa", "n"), TransactionHash = "0xf",
            Labels = new Dictionary<string, string> { ["k"] = "v" } });
        Assert.That((Only.Subject, Only.Fingerprint, Only.SubjectKind, Only.Network, Only.Account, Only.SubjectId),
            Is.EqualTo(("n:0xa:xyz:BTC", "r:n:0xa:xyz:BTC", "position", "n", "0xa", "xyz:BTC")));
        Assert.That((Only.TransactionHash, Only.Labels), Is.EqualTo(("0xf", """{"k":"v"}""")));
    }

    [Test]
    public void Many_events_and_many_groups_that_were_not_judged()
    {
        const int count = 4_000;
        string Of(int i) => $"component{i}:ETH";
        Check(0, [.. Enumerable.Range(0, count).Select(i => Found(subject: Of(i)))]);
        string[] unjudged = [.. Enumerable.Range(0, count / 2).Select(i => $"r:component{2 * i}:*")];
        for (var minute = 1; minute <= 3; minute++)
            Check(minute, CheckOutcome.Succeeded, unjudged);
        Assert.That(_events.Values.Where(e => e.Status == EventStatus.Open).Select(e => e.Subject),
            Is.EquivalentTo(Enumerable.Range(0, count / 2).Select(i => Of(2 * i))));
    }

    [Test]
    public void What_its_source_says_is_over_ends_with_that_word()
    {
        Check(0, Found());
        for (var minute = 1; minute <= 3; minute++)
            _events[Only.EventId] = EventLifecycle.Apply([Only],
                ResultSample.Of("m", Noon.AddMinutes(minute), CheckOutcome.Succeeded, [], []) with
                {
                    Endings = new Dictionary<string, string> { [Only.Fingerprint] = "delisted by the venue" },
                }, resolveAfter: 3, _rules, Noon).Events.Single();
        Assert.That((Only.Status, Only.Resolution), Is.EqualTo((EventStatus.Resolved, "delisted by the venue; open for 3 min")));
    }

    [Test]
    public void Clean_check_of_another_monitor_resolves_nothing()
    {
        Check(0, Found());
        var other = EventLifecycle.Apply([Only], ResultSample.Of("other", Noon.AddMinutes(1), CheckOutcome.Succeeded, [], []), 3, _rules,
            Noon);
        Assert.That(other.Events, Is.Empty);
    }
}

/// <summary>Made-up rules.</summary>
internal static class RuleSample
{
    public static Rule With(string id, EventLifetime lifetime) => new(id, 1, id, "m", "f", [], [], lifetime, "here", "look");
}

/// <summary>Made-up results of checks.</summary>
internal static class ResultSample
{
    public static CheckResult Of(
        string monitor, DateTimeOffset at, CheckOutcome outcome, IReadOnlyList<Finding> findings, IReadOnlyList<string> unjudged,
        params Monitoring.Data.Database.Observation[] observations) => new(
        new CheckRun(monitor, at, CheckTrigger.Grid, at, at.AddMilliseconds(20), outcome, observations.Length, findings.Count,
            outcome == CheckOutcome.Succeeded ? null : "because", "test"),
        observations, findings, unjudged);

    public static Finding Finding(string rule, string subject, Severity severity) =>
        new(rule, 1, "threat", severity, EventSubject.Untyped(subject), $"{severity} {subject}", "description",
        new Evidence(new JsonObject { ["value"] = 1.25m }, new JsonObject { ["limit"] = 1m }, ["1.25 >= 1"]), [subject], 12.5m);
}
