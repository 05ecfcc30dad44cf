using Monitoring.Data.Events;
using Monitoring.Worker.Venues.Oracle;
using static Monitoring.Tests.Venues.OracleSample;

namespace Monitoring.Tests.Venues;

public sealed class OracleRulesTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private static readonly OracleThresholds Limits = OracleThresholds.Default;

    private static OracleVerdict Judge(OracleReading reading, AssetPast? past = null, CommonMode? common = null) =>
        OracleRules.Judge(reading, past ?? AssetPast.Unknown, common, Limits)!;

    [TestCase("100.4999999999", null), TestCase("100.5", Severity.High), TestCase("100.9999999999", Severity.High), TestCase(
        "100.99999999999999999999", Severity.High)]
    [TestCase("101", Severity.Critical), TestCase("99", Severity.Critical),
        TestCase("99.00000000000000001", Severity.High), TestCase("99.5", Severity.High), TestCase("99.51", null)]
    public void Thresholds_are_inclusive_to_the_last_digit(string oracle, Severity? severity)
    {
        var verdict = Judge(Reading(decimal.Parse(oracle)));
        Assert.That(verdict.Severity, Is.EqualTo(severity));
        var finding = OracleRules.Evaluate([verdict], null, null, Limits).SingleOrDefault();
        Assert.That((finding?.Fingerprint, finding?.ThreatType), Is.EqualTo(severity is null ? (null, null)
            : ("oracle.deviation:BTC", severity == Severity.Critical ? "oracle_manipulation" : "oracle_deviation")));
    }

    [TestCase(0, false, 60, 0), TestCase(29, false, 60, 9.6667), TestCase(30, true, 60, 20), TestCase(60, true, 60, 30),
        TestCase(299, true, 60, 30), TestCase(300, true, 60, 40)]
    public void Breach_is_dangerous_from_thirty_seconds_on(int seconds, bool dangerous, int size, double duration)
    {
        var verdict = Judge(Reading(101, at: Noon.AddSeconds(seconds)), new AssetPast(Noon, null));
        Assert.That((verdict.IsDangerous, verdict.DurationSeconds, verdict.Risk),
            Is.EqualTo((dangerous, seconds, new OracleRisk(size, (decimal)duration))));
    }

    [Test]
    public void Scores_are_those_of_the_contract() =>
        Assert.That(new[]
        {
            OracleRules.Score(0, 0), OracleRules.Score(0.15m, 0), OracleRules.Score(0.5m, 0), OracleRules.Score(1, 15),
            OracleRules.Score(2, 1000),
        }.Select(risk => risk.Total),
            Is.EqualTo(new[] { 0m, 10, 40, 65, 100 }));

    [Test]
    public void Breach_that_ends_begins_anew()
    {
        Assert.That(Judge(Reading(100, at: Noon.AddSeconds(60)), new AssetPast(Noon, null)).BreachedSince, Is.Null);
        Assert.That(Judge(Reading(100.5m, at: Noon.AddSeconds(60))).BreachedSince, Is.EqualTo(Noon.AddSeconds(60)));
    }

    [Test]
    public void One_reference_is_stored_and_not_judged()
    {
        var reading = Reading(150, okx: null);
        var verdict = Judge(reading, new AssetPast(Noon.AddMinutes(-1), null));
        Assert.That((verdict.IsJudged, verdict.Severity, verdict.IsDangerous, verdict.Risk, verdict.MaxDeviationPct),
            Is.EqualTo((false, (Severity?)null, false, (OracleRisk?)null, 50m)));
        Assert.That(verdict.BreachedSince, Is.EqualTo(Noon.AddMinutes(-1)), "not seeing does not end a breach");
        Assert.That(OracleRules.Unjudged([reading], [verdict], Limits),
            Is.EqualTo(new[] { "oracle.deviation:BTC", "oracle.common-mode:USDT" }));
    }

    [Test]
    public void One_market_that_is_off_does_not_make_the_oracle_wrong() =>
        Assert.That(Judge(Reading(
            100, binance: 98.5m)) is { Severity: null, IsJudged: true, MaxDeviationPct: > 1.5m, MaxDeviationSource: "binance" }, Is.True);

    [Test]
    public void Thin_coin_that_is_always_off_stays_calm_and_the_same_on_BTC_is_critical()
    {
        Assert.That(Judge(Reading(101.2m, asset: "SAGA", liquid: false),
            new AssetPast(Noon.AddHours(-20), FloorPct: 3.6m)) is { Severity: null, IsDangerous: false }, Is.True);
        Assert.That(Judge(Reading(101.2m), new AssetPast(null, FloorPct: 0.1m)).Severity, Is.EqualTo(Severity.Critical));
        Assert.That(Judge(Reading(103.6m, asset: "SAGA", liquid: false), new AssetPast(null, FloorPct: 3.6m)).Severity,
            Is.EqualTo(Severity.Critical), "the floor itself is reached");
    }

    [Test]
    public void Thin_coin_without_history_is_low() =>
        Assert.That(Judge(Reading(101.2m, liquid: false)) is { Severity: Severity.Low, IsDangerous: false }, Is.True);

    [TestCase("104.9999999999", Severity.Low), TestCase("105", Severity.Critical),
        TestCase("95.0000000001", Severity.Low), TestCase("95", Severity.Critical), TestCase("200", Severity.Critical)]
    public void Thin_coin_without_history_is_low_up_to_a_bound_alone(string oracle, Severity severity)
    {
        var verdict = Judge(Reading(decimal.Parse(oracle), liquid: false), new AssetPast(Noon.AddMinutes(-1), null));
        Assert.That((verdict.Severity, verdict.IsDangerous), Is.EqualTo(((Severity?)severity, severity == Severity.Critical)));
        Assert.That(OracleRules.Evaluate([verdict], null, null, Limits).Single().Evidence.Arithmetic[^1],
            Is.EqualTo("no floor of its own yet: fewer than 500 samples, and the coin is thin: low until there are, if below 5 %"));
    }

    private static OracleReading[] Assets(params (decimal Usdt, decimal Usd)[] prices) =>
        [.. prices.Select((price, i) => Reading(100, binance: price.Usdt, okx: price.Usdt, usd: price.Usd, asset: $"A{i}"))];

    [Test]
    public void Shift_of_most_assets_is_one_event_for_the_quote_currency()
    {
        var readings = Assets((100, 99.2m), (100, 99.15m), (100, 99.25m), (100, 100));
        var common = OracleRules.FindCommonMode(readings, Limits)!;
        var verdicts = readings.Select(reading => Judge(reading, common: common)).ToList();
        var finding = OracleRules.Evaluate(verdicts, common, 0.992m, Limits).Single();
        Assert.That((finding.Fingerprint, finding.Severity, finding.ThreatType),
            Is.EqualTo(("oracle.common-mode:USDT", Severity.Medium, "quote_depeg")));
        Assert.That(common.Assets, Is.EquivalentTo(new[] { "A0", "A1", "A2" }));
        Assert.That(OracleRules.Unjudged(readings, verdicts, Limits), Is.Empty);
    }

    [Test]
    public void Ordinary_discount_is_no_shift() =>
        Assert.That(OracleRules.FindCommonMode(Assets((100, 99.7m), (100, 99.7m), (100, 99.7m)), Limits), Is.Null);

    [Test]
    public void Assets_that_are_off_each_in_its_own_way_have_no_common_shift() =>
        Assert.That(OracleRules.FindCommonMode(Assets((100, 99), (100, 101), (100, 97), (100, 103)), Limits), Is.Null);

    [Test]
    public void Oracles_that_are_off_from_all_markets_are_no_matter_of_the_quote_currency()
    {
        var readings = Assets((98, 98), (98, 98), (98, 98));
        Assert.That(OracleRules.FindCommonMode(readings, Limits), Is.Null);
        Assert.That(readings.Select(reading => Judge(reading).Severity), Is.All.EqualTo(Severity.Critical));
    }

    [Test]
    public void Attack_in_the_middle_of_a_shift_is_still_found_by_the_usdt_markets()
    {
        var readings = Assets((100, 99.2m), (100, 99.2m), (100, 99.2m), (98.5m, 97.7m));
        var common = OracleRules.FindCommonMode(readings, Limits);
        var verdicts = readings.Select(reading => Judge(reading, common: common)).ToList();
        Assert.That(OracleRules.Evaluate(verdicts, common, null, Limits).Select(finding => (finding.Fingerprint, finding.Severity)),
            Is.EqualTo(new[] { ("oracle.deviation:A3", Severity.Critical), ("oracle.common-mode:USDT", Severity.Medium) }));
    }

    [Test]
    public void Asset_with_usd_references_alone_cannot_be_judged_in_a_shift()
    {
        var reading = Reading(100, usd: 99.2m) with { References = [new("kraken", Worker.Venues.Oracle.Sources.QuoteCurrency.Usd, 99.2m),
            new("pyth", Worker.Venues.Oracle.Sources.QuoteCurrency.Usd, 99.2m)] };
        Assert.That(Judge(reading, common: new CommonMode(0.8m, new HashSet<string> { "BTC" }, 3)).IsJudged, Is.False);
    }
}
