using System.Text.Json.Nodes;
using Monitoring.Data.Checks;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Events;

namespace Monitoring.Tests.Events;

/// <summary>An event says what is so and what was worst, each with its time; people hear when it grows worse.</summary>
public sealed class EventMeasuresTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;

    private static readonly RuleCatalog Rules = new(
    [
        RuleSample.With("loss", EventLifetime.Condition) with { Measure = new("loss_usd", "USD") },
        RuleSample.With("hour", EventLifetime.Condition) with { Measure = new("z", "", WorseWhen.Farther) { Counts = "deviations" } },
        RuleSample.With("blind", EventLifetime.Condition) with { Measure = new("age", "s") { IsAge = true } },
        RuleSample.With("seen", EventLifetime.Occurrence(TimeSpan.FromMinutes(30))) with { Measure = new("usd", "USD") },
    ]);

    private readonly List<SecurityEventChange> _changes = [];
    private SecurityEvent? _event;

    private static Finding Found(string rule, decimal value, decimal? threshold, Severity severity = Severity.High) =>
        new(rule, 1, "t", severity, EventSubject.Untyped("s"), $"was {value:0.###}", $"is {value:0.###}",
            new Evidence(new JsonObject { ["v"] = value }, [], []), [], null)
        {
            Measure = new FindingMeasure(Rules.Find(rule)!.Measure!.Name, value, Rules.Find(rule)!.Measure!.Unit, threshold),
        };

    private static Finding Loss(decimal millions, Severity severity = Severity.High) =>
        Found("loss", millions * 1_000_000, severity == Severity.Critical ? 2_000_000 : 1_000_000, severity) with
        {
            Title = $"was {millions}", Description = $"is {millions}",
        };

    private EventUpdate Check(int second, params Finding[] findings) => Apply(second, new Dictionary<string, decimal>(), findings);

    private EventUpdate Apply(int second, IReadOnlyDictionary<string, decimal> measured, params Finding[] findings)
    {
        var result = ResultSample.Of("m", Noon.AddSeconds(second), CheckOutcome.Succeeded, findings, []) with { Measured = measured };
        var update = EventLifecycle.Apply(_event is null ? [] : [_event], result, resolveAfter: 3, Rules, Noon.AddHours(4));
        _event = update.Events.LastOrDefault() ?? _event;
        _changes.AddRange(update.Changes);
        return update;
    }

    private IEnumerable<ChangeKind> Kinds => _changes.Select(change => change.Kind);

    private static DateTimeOffset At(int second) => Noon.AddSeconds(second);

    [Test]
    public void Title_is_of_the_worst_and_description_of_now()
    {
        Check(0, Loss(1.2m));
        Check(10, Loss(1.4m));
        Check(20, Loss(1.3m));
        Assert.That((_event!.Title, _event.WorstValue, _event.WorstAt), Is.EqualTo(("was 1.4", 1_400_000m, At(10))));
        Assert.That((_event.Description, _event.CurrentValue, _event.LastSeenAt), Is.EqualTo(("is 1.3", 1_300_000m, At(20))));
        Assert.That((_event.Measure, _event.Unit, _event.ThresholdValue), Is.EqualTo(("loss_usd", "USD", 1_000_000m)));
    }

    [Test]
    public void Changes_keep_what_was_said_then()
    {
        Check(0, Loss(1.2m));
        Check(10, Loss(2.5m, Severity.Critical));
        Check(20, Loss(3.9m, Severity.Critical));
        Assert.That(_changes.Select(change => (change.Kind, change.Note)), Is.EqualTo(new[]
        {
            (ChangeKind.Opened, "was 1.2"), (ChangeKind.Escalated, "was 2.5"), (ChangeKind.Worsened, "was 3.9"),
        }));
    }

    [Test]
    public void Threshold_is_that_of_the_severity_reached()
    {
        Check(0, Loss(1.2m));
        Check(10, Loss(2.5m, Severity.Critical));
        Check(20, Loss(1.9m));
        Assert.That((_event!.Severity, _event.ThresholdValue, _event.Title, _event.CurrentValue),
            Is.EqualTo((Severity.Critical, 2_000_000m, "was 2.5", 1_900_000m)));
    }

    // From 1.2 M the excess over 1 M is 0.2 M: half again is 0.3 M.
    [TestCase(1.299, false)]
    [TestCase(1.3, true)]
    public void Excess_that_is_half_again_what_people_heard_of_is_a_change_of_its_own(decimal millions, bool isTold)
    {
        Check(0, Loss(1.2m));
        Check(10, Loss(millions));
        Assert.That(Kinds, isTold ? Is.EqualTo(new[] { ChangeKind.Opened, ChangeKind.Worsened }) : Is.EqualTo(new[] { ChangeKind.Opened }));
    }

    [Test]
    public void Trifle_above_the_threshold_is_no_worsening()
    {
        Check(0, Loss(1));
        Check(10, Loss(1.099m));
        Assert.That(Kinds, Is.EqualTo(new[] { ChangeKind.Opened }));
        Check(20, Loss(1.1m));
        Assert.That(Kinds, Is.EqualTo(new[] { ChangeKind.Opened, ChangeKind.Worsened }));
    }

    [Test]
    public void Worsening_is_told_at_most_once_in_five_minutes_and_counts_from_what_was_told()
    {
        Check(0, Loss(1.2m));
        for (var second = 10; second <= 310; second += 10)
            Check(second, Loss(1.2m + second / 10m));
        Assert.That(_changes.Select(change => (change.Kind, change.ScheduledAt)), Is.EqualTo(new[]
        {
            (ChangeKind.Opened, (DateTimeOffset?)Noon), (ChangeKind.Worsened, At(10)), (ChangeKind.Worsened, At(310)),
        }));
        Check(620, Loss(35));
        Assert.That(Kinds.Count(), Is.EqualTo(3), "35 M is no half more than the 32.2 M that was told");
        Assert.That(_event!.ToldMeasure, Is.EqualTo(32_200_000m));
    }

    [Test]
    public void Escalation_tells_what_is_worst_and_the_worsening_counts_from_there()
    {
        Check(0, Loss(1.2m));
        Check(10, Loss(3, Severity.Critical));
        Check(20, Loss(3.4m, Severity.Critical));
        Assert.That(Kinds, Is.EqualTo(new[] { ChangeKind.Opened, ChangeKind.Escalated }), "0.4 M more than an excess of 1 M");
        Check(30, Loss(3.5m, Severity.Critical));
        Assert.That(Kinds.Last(), Is.EqualTo(ChangeKind.Worsened));
    }

    [Test]
    public void What_only_grows_older_is_no_worsening()
    {
        for (var second = 0; second <= 3600; second += 10)
            Check(second, Found("blind", 60 + second, 60));
        Assert.That(Kinds, Is.EqualTo(new[] { ChangeKind.Opened }));
        Assert.That((_event!.CurrentValue, _event.WorstValue), Is.EqualTo((3660m, 3660m)));
    }

    [Test]
    public void Gain_hides_no_loss()
    {
        Check(0, Found("hour", 8, 3, Severity.Low));
        Check(10, Found("hour", -5, -4));
        Check(20, Found("hour", 1000, 3, Severity.Low));
        Assert.That((_event!.Title, _event.WorstValue, _event.CurrentValue, _event.ThresholdValue),
            Is.EqualTo(("was -5", -5m, 1000m, -4m)));
        Check(30, Found("hour", -27.8m, -4));
        Assert.That((_event.Title, _event.WorstValue), Is.EqualTo(("was -27.8", -27.8m)));
    }

    [Test]
    public void Holding_finding_moves_what_is_so_now_and_the_worst_and_tells_nobody()
    {
        Check(0, Loss(1.2m));
        Check(10, Loss(0.6m) with { IsHolding = true });
        Assert.That((_event!.Title, _event.Description, _event.CurrentValue), Is.EqualTo(("was 1.2", "is 0.6", 600_000m)));
        Check(20, Loss(9) with { IsHolding = true });
        Assert.That((_event.Title, _event.WorstValue, Kinds.Count()), Is.EqualTo(("was 9", 9_000_000m, 1)));
    }

    [Test]
    public void Late_finding_that_was_worse_is_the_worst_and_not_what_is_so_now()
    {
        Check(0, Loss(1.2m));
        Check(20, Loss(1.25m));
        var update = Check(10, Loss(3));
        Assert.That((_event!.Title, _event.WorstAt, _event.CurrentValue, _event.Description),
            Is.EqualTo(("was 3", At(10), 1_250_000m, "is 1.25")));
        Assert.That(update.Rewritten, Has.Count.EqualTo(1), "a title that is not of its newest check is stored by a rewrite");
        Assert.That(Kinds, Is.EqualTo(new[] { ChangeKind.Opened }));
    }

    [Test]
    public void Event_at_its_worst_only_moves()
    {
        Check(0, Loss(1.2m));
        Assert.That(Check(10, Loss(1.25m)).Moved.Select(e => e.Title), Is.EqualTo(new[] { "was 1.25" }));
        Assert.That(Check(20, Loss(1.22m)).Moved, Has.Count.EqualTo(1));
        Assert.That(Check(30).Moved, Has.Count.EqualTo(1));
    }

    [Test]
    public void Event_from_before_measures_were_kept_takes_what_is_found_next()
    {
        Check(0, Loss(1.2m));
        _event = _event! with
        {
            Measure = null, Unit = null, CurrentValue = null, WorstValue = null, WorstAt = null, ThresholdValue = null, ToldMeasure = null,
        };
        var update = Check(10, Loss(3));
        Assert.That(update.Rewritten, Has.Count.EqualTo(1));
        Assert.That((_event!.Title, _event.WorstAt, _event.Measure, Kinds.Count()),
            Is.EqualTo(("was 3", (DateTimeOffset?)At(10), "loss_usd", 1)));
        Check(20, Loss(5));
        Assert.That(Kinds.Last(), Is.EqualTo(ChangeKind.Worsened));
    }

    [Test]
    public void Finding_of_a_journal_from_before_has_its_value_among_its_evidence()
    {
        var finding = Loss(1.5m) with { Measure = null };
        finding.Evidence.Values["loss_usd"] = 1_500_000;
        Check(0, finding);
        Assert.That((_event!.Measure, _event.WorstValue, _event.ThresholdValue), Is.EqualTo(("loss_usd", 1_500_000m, (decimal?)null)));
    }

    [Test]
    public void End_says_how_long_how_bad_and_what_is_so_now()
    {
        Check(0, Loss(1.2m));
        Check(60, Loss(1.4m));
        Check(120, Loss(1.3m));
        foreach (var second in new[] { 180, 240, 300 })
            Apply(second, new Dictionary<string, decimal> { ["loss:s"] = 39_100 });
        Assert.That(_event!.Resolution, Is.EqualTo(
            "not found in 3 successful checks in a row; open for 5 min, worst 1.40 M USD at 12:01:00 UTC, now 39.1 k USD"));
        Assert.That(_changes[^1].Note, Is.EqualTo(_event.Resolution));
    }

    [Test]
    public void End_of_what_a_whole_part_is_free_of_says_nothing_is_left()
    {
        Check(0, Loss(1.2m));
        foreach (var second in new[] { 180, 240, 300 })
            Apply(second, new Dictionary<string, decimal> { ["loss:*"] = 0 });
        Assert.That(_event!.Resolution, Does.EndWith("worst 1.20 M USD at 12:00:00 UTC, now 0 USD"));
    }

    [Test]
    public void End_without_a_newer_value_says_when_it_was_last_seen()
    {
        Check(0, Found("seen", 2_280_000, null));
        Check(60, Found("seen", 1_000, null));
        Check(60 + 1800);
        Assert.That(_event!.Resolution, Is.EqualTo("nothing new within 30 min; open for 31 min, "
            + "worst 2.28 M USD at 12:00:00 UTC, last seen 1.0 k USD at 12:01:00 UTC"));
    }

    [Test]
    public void Time_that_a_wrong_clock_has_put_ahead_keeps_no_worsening_from_being_told()
    {
        Check(0, Loss(1.2m));
        _event = _event! with { WorsenedAt = Noon.AddDays(30) };
        Check(10, Loss(3));
        Assert.That(Kinds.Last(), Is.EqualTo(ChangeKind.Worsened));
    }

    [TestCase(WorseWhen.Higher, 3, 2, true)]
    [TestCase(WorseWhen.Higher, -3, 2, false)]
    [TestCase(WorseWhen.Lower, -3, 2, true)]
    [TestCase(WorseWhen.Farther, -3, 2, true)]
    [TestCase(WorseWhen.Farther, 2, 2, false)]
    public void Rule_says_which_values_are_worse(WorseWhen worse, decimal value, decimal than, bool isWorse) =>
        Assert.That(new RuleMeasure("v", "USD", worse).IsWorse(value, than), Is.EqualTo(isWorse));

    [TestCase(WorseWhen.Higher, 1.5, 1, 0.5)]
    [TestCase(WorseWhen.Higher, 0.5, 1, 0)]
    [TestCase(WorseWhen.Farther, -27.8, -4, 23.8)]
    [TestCase(WorseWhen.Lower, -3, -1, 2)]
    public void Excess_is_what_lies_beyond_the_threshold(WorseWhen worse, decimal value, decimal threshold, decimal excess) =>
        Assert.That(new RuleMeasure("v", "USD", worse).Excess(value, threshold), Is.EqualTo(excess));
}
