using System.Text.Json;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Liquidations;
using static Monitoring.Tests.Venues.Liquidations.LiquidationSample;

namespace Monitoring.Tests.Venues.Liquidations;

public sealed class LiquidationRulesTests
{
    private static IEnumerable<LiquidationPatternType> TypesOf(IEnumerable<LiquidationFill> rows) =>
        Patterns(rows).Select(pattern => pattern.PatternType);

    [TestCase(499_999.99, 0, null)]
    [TestCase(500_000, 10, 40)]
    [TestCase(500_000, 10.001, null)]
    [TestCase(1_000_000, 0, 60)]
    [TestCase(1_000_000.01, 0, 50)]
    [TestCase(2_000_000.01, 0, 60)]
    [TestCase(5_000_000.01, 0, 100)]
    public void Flash_loan_is_half_a_million_within_ten_seconds(decimal usd, double seconds, decimal? score)
    {
        var rows = new[] { Row(0, "0xa", usd / 2), Row(seconds, "0xb", usd - (usd / 2)) };
        Assert.That(Patterns(rows).SingleOrDefault(p => p.PatternType == LiquidationPatternType.FlashLoan)?.SuspicionScore,
            Is.EqualTo(score));
    }

    [Test]
    public void Flash_loan_counts_each_coin_for_itself_and_no_deleveraging()
    {
        Assert.That(TypesOf([Row(0, "0xa", 300_000), Row(1, "0xb", 300_000, coin: "BTC")]), Is.Empty);
        Assert.That(TypesOf([Row(0, "0xa", 9_000_000, method: LiquidationMethod.Adl)]), Is.EqualTo(new[] { LiquidationPatternType.Adl }));
    }

    // Five victims; the price falls, rises, or does both.
    [TestCase(new double[] { 100, 99, 98, 97, 96 }, "down")]
    [TestCase(new double[] { 100, 101, 102, 103, 104 }, "up")]
    [TestCase(new double[] { 100, 99, 98, 99, 97 }, "down")]
    [TestCase(new double[] { 100, 99, 98, 99, 100 }, null)]
    [TestCase(new double[] { 100, 100, 100, 100, 100 }, null)]
    [TestCase(new double[] { 100, 99, 98, 97 }, null)]
    public void Cascade_needs_five_victims_and_a_direction(double[] prices, string? direction)
    {
        var rows = prices.Select((price, i) => Row(i * 75, $"0x{i}", 10_000, (decimal)price));
        var cascade = Patterns(rows).SingleOrDefault(p => p.PatternType == LiquidationPatternType.Cascade);
        Assert.That(cascade?.Indicators, direction is null ? Is.Null : Does.Contain($"\"direction\":\"{direction}\""));
    }

    [Test]
    public void Cascade_of_one_victim_or_over_more_than_five_minutes_is_none()
    {
        Assert.That(TypesOf(Enumerable.Range(0, 5).Select(i => Row(i, "0xa", 10_000, 100 - i))), Is.Empty);
        Assert.That(TypesOf(Enumerable.Range(0, 5).Select(i => Row(i * 75.001, $"0x{i}", 10_000, 100 - i))), Is.Empty);
    }

    [Test]
    public void Long_cascade_is_one_pattern_scored_by_count_amount_and_impact()
    {
        var rows = Enumerable.Range(0, 60).Select(i => Row(i * 12, $"0x{i}", 50_000, 100 - (i * 0.1m))).ToList();
        var cascade = Patterns(rows).Single();
        Assert.That((cascade.LiquidationCount, cascade.AffectedUsers, cascade.TotalLiquidatedUsd, cascade.PriceImpact,
            cascade.DurationSeconds, cascade.SuspicionScore),
            Is.EqualTo((60, 60, 3_000_000m, -5.9m, 708m, 84m)));
    }

    [Test]
    public void Small_cascade_is_a_pattern_and_no_event_and_fifty_is_one()
    {
        var small = Patterns(Enumerable.Range(0, 5).Select(i => Row(i, $"0x{i}", 10_000, 100 - (i * 0.1m))));
        Assert.That((small.Count, LiquidationRules.Evaluate(small, LiquidationThresholds.Default).Count), Is.EqualTo((1, 0)));
        var pattern = small[0];
        Assert.That(LiquidationRules.Evaluate([pattern with { SuspicionScore = 49.99m }], LiquidationThresholds.Default), Is.Empty);
        var finding = LiquidationRules.Evaluate([pattern with { SuspicionScore = 50 }], LiquidationThresholds.Default).Single();
        Assert.That((finding.RuleId, finding.ThreatType, finding.Severity, finding.Subject.Text),
            Is.EqualTo(("liquidation.cascade", "cascade_liquidation", Severity.High, "ETH")));
    }

    [TestCase(2, 3_000_000, null)]
    [TestCase(3, 999_999, null)]
    [TestCase(3, 1_000_000, 46.67)]
    [TestCase(4, 3_000_000, 90)]
    public void Coordinated_is_one_account_three_times_for_a_million(int times, decimal usd, decimal? score)
    {
        var rows = Enumerable.Range(0, times).Select(i => Row(i * 700, "0xa", usd / times, 100, coin: i % 2 == 0 ? "ETH" : "BTC"));
        Assert.That(Patterns(rows).SingleOrDefault(p => p.PatternType == LiquidationPatternType.Coordinated)?.SuspicionScore,
            Is.EqualTo(score).Within(0.001m));
    }

    [TestCase(new[] { 0, 60, 120 }, 3, 66.67)] // three accounts, each funded a minute after the one before
    [TestCase(new[] { 0, 3600, 7200 }, 3, 66.67)]
    [TestCase(new[] { 0, 3601, 7201 }, 2, 43.33)] // the first is not of them, and two liquidations are too few
    [TestCase(new[] { 0 }, 1, 0)]
    public void Coordinated_is_accounts_that_one_account_funded_together(int[] fundedAt, int together, double score)
    {
        var rows = Enumerable.Range(0, 3).Select(i => Row(i * 10, $"0x{i}", 733_333.4m)).ToList();
        var fundings = fundedAt.Index().ToDictionary(
            at => $"0x{at.Index}", at => new Funding("0xf", ManualClock.Noon.AddDays(-2).AddSeconds(at.Item)));
        var found = LiquidationSearch.Find(LiquidationGrouping.Group(rows), [], fundings, LiquidationThresholds.Default)
            .Where(p => p.PatternType == LiquidationPatternType.Coordinated).ToList();
        Assert.That(found.Select(p => (p.Subject, p.LiquidationCount, p.AffectedUsers, p.SuspicionScore)),
            Is.EqualTo(together == 3 ? new[] { ("funded by 0xf", 3, 3, (decimal)score) } : []));
        foreach (var finding in LiquidationRules.Evaluate(found, LiquidationThresholds.Default))
        {
            Assert.That((finding.RuleId, finding.Title),
                Is.EqualTo(("liquidation.coordinated", "3 accounts funded together were liquidated 3 times for 2.20 M USD")));
            Assert.That(finding.Evidence.Arithmetic[0],
                Does.StartWith("0xf was the first to send each of them money, from 2026-11-19T12:00:00Z to "));
            Assert.That(finding.RelatedAddresses, Is.EquivalentTo(new[] { "0x0", "0x1", "0x2" }));
        }
    }

    [TestCase(98, 99, 60, 50)]
    [TestCase(98, 98.99, 60, null)]
    [TestCase(98.01, 100, 60, null)]
    [TestCase(98, 99, 1801, null)]
    [TestCase(102, 101, 60, 50)]
    [TestCase(90, 100, 60, 100)]
    public void Manipulation_is_two_percent_that_come_back_by_half_in_half_an_hour(decimal low, decimal then, int seconds, decimal? score)
    {
        var found = Patterns(
            [Row(0, "0xa", 1000, 100), Row(1, "0xb", 1000, low)], new PriceSample("ETH", ManualClock.Noon.AddSeconds(1 + seconds), then));
        Assert.That(found.SingleOrDefault()?.SuspicionScore, Is.EqualTo(score));
    }

    [Test]
    public void Deleveraging_is_always_high_however_small()
    {
        var finding = LiquidationRules.Evaluate(
            Patterns([Row(0, Maker, 1, method: LiquidationMethod.Adl)]), LiquidationThresholds.Default with { EventScore = 100 }).Single();
        Assert.That((finding.RuleId, finding.ThreatType, finding.Severity),
            Is.EqualTo(("liquidation.adl", "auto_deleveraging", Severity.High)));
    }

    [Test]
    public void Several_patterns_of_a_kind_in_a_coin_are_one_finding()
    {
        var rows = new[] { Row(0, Maker, 10, method: LiquidationMethod.Adl), Row(1000, Maker, 20, method: LiquidationMethod.Adl), Row(
            1000, Maker, 20, coin: "BTC", method: LiquidationMethod.Adl) };
        Assert.That(Patterns(rows), Has.Count.EqualTo(3));
        Assert.That(LiquidationRules.Evaluate(Patterns(rows), LiquidationThresholds.Default)
            .Select(finding => finding.Subject.Text), Is.EqualTo(new[] { "BTC", "ETH" }));
    }

    [Test]
    public void Pattern_whose_start_moves_stays_the_same_pattern()
    {
        var rows = Enumerable.Range(0, 8).Select(i => Row(i * 10, $"0x{i}", 10_000, 100 - i)).ToList();
        var first = Patterns(rows.Skip(2).Take(5)).Single();
        var earlier = PatternContinuity.Continue([first], Patterns(rows)).Single();
        Assert.That((earlier.PatternId, earlier.StartTime, earlier.LiquidationCount), Is.EqualTo((first.PatternId, ManualClock.Noon, 8)));
        var pruned = PatternContinuity.Continue([earlier], Patterns(rows.Skip(3))).Single();
        Assert.That((pruned.PatternId, pruned.StartTime, pruned.LiquidationCount), Is.EqualTo((first.PatternId, ManualClock.Noon, 8)));
    }

    [Test]
    public void Observations_survive_json_without_loss()
    {
        Monitoring.Data.Database.Observation[] rows =
        [
            Row(0.123, "0xa", 10.123456789m, hash: "0x1"), Row(1, "0xb", 1, method: LiquidationMethod.Adl),
            new LiquidationSource(Maker, true, ManualClock.Noon, ManualClock.Noon, null, 1, ManualClock.Noon, null),
        ];
        var json = JsonSerializer.Serialize(rows, CheckResult.Json);
        Assert.That(JsonSerializer.Deserialize<Monitoring.Data.Database.Observation[]>(json, CheckResult.Json), Is.EqualTo(rows));
        Assert.That(json, Does.Not.Contain("partition"));
        var pattern = Patterns([Row(0, Maker, 10, method: LiquidationMethod.Adl)]);
        Assert.That(JsonSerializer.Serialize(
            JsonSerializer.Deserialize<LiquidationPattern[]>(JsonSerializer.Serialize(pattern, CheckResult.Json), CheckResult.Json),
            CheckResult.Json),
            Is.EqualTo(JsonSerializer.Serialize(pattern, CheckResult.Json)));
    }

    [Test]
    public void Liquidation_is_many_fills_of_one_hash_or_of_one_moment_without_it()
    {
        var rows = new[]
        {
            Row(0, "0xa", 10, hash: "0x1", tid: 1), Row(3, "0xa", 20, hash: "0x1", tid: 2), Row(3, "0xa", 30, tid: 3),
            Row(3, "0xa", 40, tid: 4), Row(4, "0xa", 50, tid: 5), Row(3, "0xb", 60, hash: "0x1", tid: 6),
        };
        Assert.That(LiquidationGrouping.Group(rows).Select(one => (one.User, one.NotionalUsd, one.Fills)),
            Is.EquivalentTo(new[] { ("0xa", 30m, 2), ("0xa", 70m, 2), ("0xa", 50m, 1), ("0xb", 60m, 1) }));
    }
}
