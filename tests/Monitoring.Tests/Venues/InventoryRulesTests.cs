using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Inventory;

namespace Monitoring.Tests.Venues;

public sealed class InventoryRulesTests
{
    private const string Component = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14";
    private const decimal Equity = 400_000_000;
    private static readonly InventoryThresholds Limits = InventoryThresholds.Default;

    // Deep enough a market that nothing but the share counts, unless a test says otherwise.
    private static InventoryStep Step(
        decimal? share, decimal? earlier = 0, decimal? volume = 100_000_000_000, decimal? openInterestPct = 7.5m) =>
        new(new HlpVaultPosition(Component, Sample.Vault, "ETH", ManualClock.Noon, -10, (share ?? 1) * Equity / 100, -5, share,
            openInterestPct), earlier) { DayVolumeUsd = volume };

    private static Finding? Find(InventoryStep step) => InventoryRules.Evaluate([step], Equity, Limits).SingleOrDefault();

    private static Severity? SeverityOf(InventoryStep step) => Find(step) is { IsHolding: false } finding ? finding.Severity : null;

    private static bool IsJudged(InventoryStep step) => InventoryRules.Unjudged([], [step], Limits).Count == 0;

    // Thresholds are inclusive; a jump is at least high, and never lowers what the share alone says.
    [TestCase(14.9999, 14.9999, null)]
    [TestCase(15, 15, Severity.Medium)]
    [TestCase(29.9999, 25, Severity.Medium)]
    [TestCase(30, 25, Severity.High)]
    [TestCase(50, 45, Severity.Critical)]
    [TestCase(9.9999, 0, null)]
    [TestCase(10, 0, Severity.High)]
    [TestCase(25, 15.0001, Severity.Medium)]
    [TestCase(25, 15, Severity.High)]
    [TestCase(68, 0, Severity.Critical)]
    [TestCase(5, 40, null)]
    public void Severity_follows_the_share_and_its_jump(decimal share, decimal earlier, Severity? expected) =>
        Assert.That(SeverityOf(Step(share, earlier)), Is.EqualTo(expected));

    // A tenth of the coin's volume, hour by hour: 1 M USD at 10 M USD a day takes 24 h.
    [TestCase(0.25, 10_000_000, Severity.High)]
    [TestCase(0.25, 10_010_000, null)]
    [TestCase(0.2499, 1_000_000, null)]
    [TestCase(1, 13_333_333, Severity.Critical)]
    [TestCase(1, 13_350_000, Severity.High)]
    [TestCase(0.9999, 10_000, Severity.High)]
    [TestCase(1.0107, 7_500_000, Severity.Critical)]
    [TestCase(6, 40_000_000, Severity.Critical)]
    [TestCase(14.9999, 1e11, null)]
    [TestCase(1, 0.0000000001, Severity.Critical)]
    public void Position_that_cannot_be_left_is_high_or_critical(decimal share, decimal volume, Severity? expected) =>
        Assert.That(SeverityOf(Step(share, share, volume)), Is.EqualTo(expected));

    [TestCase(0.25, 25, Severity.High)]
    [TestCase(0.25, 24.9999, null)]
    [TestCase(0.2499, 90, null)]
    [TestCase(0.25, 50, Severity.Critical)]
    [TestCase(5, 49.9999, Severity.High)]
    [TestCase(5, 1_000_000, Severity.Critical)]
    public void Position_that_is_the_market_is_high_or_critical(decimal share, decimal openInterestPct, Severity? expected) =>
        Assert.That(SeverityOf(Step(share, share, openInterestPct: openInterestPct)), Is.EqualTo(expected));

    // An event stays open until every measure is below half of the lowest threshold.
    [TestCase(7.5, 1e11, 7.5, true)]
    [TestCase(7.4999, 1e11, 7.5, false)]
    [TestCase(0.125, 10_000_000, 7.5, true)]
    [TestCase(0.1249, 1_000_000, 7.5, false)]
    [TestCase(0.125, 10_010_000, 7.5, false)]
    [TestCase(0.125, 1e11, 12.5, true)]
    [TestCase(0.125, 1e11, 12.4999, false)]
    [TestCase(0.1249, 1e11, 90, false)]
    public void Measure_above_half_of_its_threshold_holds_an_event_and_opens_none(
        decimal share, decimal volume, decimal openInterestPct, bool expected)
    {
        var finding = Find(Step(share, share, volume, openInterestPct));
        Assert.That(finding?.IsHolding, Is.EqualTo(expected ? true : (bool?)null));
    }

    // What the venue does not say is neither calm nor an alarm; what is known is judged all the same.
    [TestCase(0.125, null, 7.5, false)]
    [TestCase(0.1249, null, 7.5, true)]
    [TestCase(0.125, 1e11, null, false)]
    [TestCase(0.1249, 1e11, null, true)]
    [TestCase(0.125, 1e11, 7.5, true)]
    [TestCase(15, null, null, true)]
    [TestCase(0.25, null, 25, true)]
    [TestCase(null, 1e11, 7.5, false)]
    public void Unknown_volume_or_open_interest_is_not_judged_where_the_position_matters(
        decimal? share, decimal? volume, decimal? openInterestPct, bool expected) =>
        Assert.That(IsJudged(Step(share, share, volume, openInterestPct)), Is.EqualTo(expected));

    [Test]
    public void Unknown_volume_and_open_interest_are_said_in_the_finding()
    {
        var finding = Find(Step(16, earlier: null, volume: null, openInterestPct: null))!;
        Assert.That(finding.Severity, Is.EqualTo(Severity.Medium));
        Assert.That(finding.Evidence.Arithmetic.Skip(1), Is.EqualTo(new[]
        {
            "jump: not known, no earlier check to compare with", "hours to exit: not known, the venue gives no volume of the coin",
            "share of the market: not known, the venue gives no open interest of the coin",
        }));
        Assert.That((finding.Evidence.Values["hours_to_exit"], finding.Evidence.Values["open_interest_pct"]), Is.EqualTo(((JsonNode?)null,
            (JsonNode?)null)), "nothing is invented");
    }

    [Test]
    public void Jump_is_not_judged_without_an_earlier_check()
    {
        Assert.That(SeverityOf(Step(14, earlier: null)), Is.Null);
        Assert.That(SeverityOf(Step(16, earlier: null)), Is.EqualTo(Severity.Medium));
    }

    [Test]
    public void Share_without_a_base_is_neither_found_nor_clean()
    {
        var step = Step(share: null, earlier: 60);
        Assert.That(InventoryRules.Evaluate([step], equity: -1, Limits), Is.Empty);
        Assert.That(InventoryRules.Unjudged([], [step], Limits), Is.EqualTo(new[] { $"hlp.inventory:{Component}:ETH" }));
    }

    [Test]
    public void Finding_names_component_coin_side_and_its_arithmetic()
    {
        var finding = Find(Step(1, earlier: 0.25m, volume: 8_000_000, openInterestPct: 45.5m))!;
        Assert.That((finding.Fingerprint, finding.ThreatType, finding.EstimatedLossUsd, finding.RuleVersion),
            Is.EqualTo(($"hlp.inventory:{Component}:ETH", "hlp_concentration", (decimal?)5, 2)));
        Assert.That(finding.RelatedAddresses, Is.EqualTo(new[] { Component }));
        Assert.That(finding.Title, Is.EqualTo("HLP component 0x2e3d…dd14 holds 4.00 M USD of ETH short, 1.0 % of HLP's equity, "
            + "120 h to exit, 45.5 % of the open interest"));
        Assert.That(finding.Description, Does.EndWith(
            "an unrealised PnL of -5.00 USD, 120 h to exit at 10 % of the coin's volume, 45.5 % of the coin's open interest."));
        Assert.That(finding.Evidence.Arithmetic, Is.EqualTo(new[]
        {
            "share = 100 * 4000000.00 / 400000000.00 = 1 %: < 15", "jump = 1 - 0.25 = 0.75 points < 10",
            "hours to exit = 4000000.00 / (10 % * 8000000.00 / 24) = 120: >= 72 h and a share >= 1 %: critical",
            "share of the market = 45.5 % of the open interest: >= 25 % and a share >= 0.25 %: high",
        }));
        Assert.That(JsonNode.DeepEquals(finding.Evidence.Thresholds, new JsonObject
        {
            ["medium_pct"] = 15m, ["high_pct"] = 30m, ["critical_pct"] = 50m, ["jump_points"] = 10m, ["exit_volume_pct"] = 10m,
            ["exit_high_hours"] = 24m, ["exit_high_share_pct"] = 0.25m, ["exit_critical_hours"] = 72m, ["exit_critical_share_pct"] = 1m,
            ["market_high_pct"] = 25m, ["market_critical_pct"] = 50m, ["market_share_pct"] = 0.25m, ["hold_share"] = 0.5m,
        }), Is.True, finding.Evidence.Thresholds.ToJsonString());
        Assert.That(((decimal)finding.Evidence.Values["hours_to_exit"]!, (decimal)finding.Evidence.Values["day_volume_usd"]!),
            Is.EqualTo((120m, 8_000_000m)));
    }

    // The share is what is measured; the threshold is what the deciding leg asks of it.
    [TestCase(16, 16, 1e11, 7.5, 15)]
    [TestCase(25, 12, 1e11, 7.5, 22)]
    [TestCase(1.5, 1.5, 5_000_000, 7.5, 1)]
    [TestCase(0.5, 0.5, 1e11, 30, 0.25)]
    public void Share_is_measured_against_what_the_deciding_leg_asks_of_it(
        decimal share, decimal earlier, decimal volume, decimal openInterestPct, decimal threshold) =>
        Assert.That(Find(Step(share, earlier, volume, openInterestPct))!.Measure,
            Is.EqualTo(new FindingMeasure("share_pct", share, "%", threshold)));

    [Test]
    public void What_a_component_that_was_read_does_not_hold_is_nothing()
    {
        var measured = InventoryRules.Measure([Step(2)], [Component]);
        Assert.That(measured, Is.EquivalentTo(new Dictionary<string, decimal>
        {
            [$"hlp.inventory:{Component}:ETH"] = 2, [$"hlp.inventory:{Component}:*"] = 0,
            [$"hlp.takeover:{Component}:ETH"] = 2, [$"hlp.takeover:{Component}:*"] = 0,
        }));
        Assert.That(InventoryRules.Measure([Step(share: null)], []), Is.Empty);
    }

    [Test]
    public void Unread_component_leaves_all_its_coins_unjudged() =>
        Assert.That(InventoryRules.Unjudged([InventoryRules.SubjectOf(Component, "*")], [], Limits),
            Is.EqualTo(new[] { $"hlp.inventory:{Component}:*" }));
}
