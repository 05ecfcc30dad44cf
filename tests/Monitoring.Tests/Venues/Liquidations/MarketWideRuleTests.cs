using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Liquidations;
using static Monitoring.Tests.Venues.Liquidations.LiquidationSample;

namespace Monitoring.Tests.Venues.Liquidations;

/// <summary>When liquidations go through the whole market, and what the one event of it says.</summary>
public sealed class MarketWideRuleTests
{
    private static readonly LiquidationThresholds Limits = LiquidationThresholds.Default;
    private const VaultGain? Unknown = null;

    // Ten accounts within a second, 2 M USD, the price down by 5 %: a cascade that is an event.
    private static IEnumerable<LiquidationFill> Cascade(string coin, double at, decimal usdEach = 200_000) =>
        Enumerable.Range(0, 10).Select(i => Row(at + (i * 0.1), $"0x{coin}{i}", usdEach, 100 - (i * 0.5m), coin));

    private static LiquidationFill Deleveraging(string coin, double at, decimal usd = 1000) =>
        Row(at, Maker, usd, coin: coin, method: LiquidationMethod.Adl);

    private static IReadOnlyList<MarketRun> Runs(params IEnumerable<LiquidationFill> rows) => MarketRuns.Find(Patterns(rows), Limits);

    private static Finding Find(IEnumerable<LiquidationFill> rows, VaultGain? gain) =>
        MarketWideRule.Evaluate(MarketRuns.Find(Patterns(rows), Limits), (_, _) => gain, Limits).Single();

    [TestCase(5, 60, 1)] // one after the other, over 4 minutes
    [TestCase(5, 75, 1)]
    [TestCase(5, 75.3, 0)] // the first had ended 300.3 s before the fifth began
    [TestCase(5, 90, 0)] // over 6 minutes
    [TestCase(4, 1, 0)]
    [TestCase(40, 90, 0)] // an hour of it, never five within five minutes
    [TestCase(40, 60, 1)]
    public void Five_coins_within_five_minutes_are_the_market(int coins, double apart, int runs) =>
        Assert.That(Runs(Enumerable.Range(0, coins).SelectMany(i => Cascade($"C{i}", i * apart))), Has.Count.EqualTo(runs));

    [Test]
    public void Coin_counts_once_and_only_with_an_event_of_its_own()
    {
        var four = Enumerable.Range(0, 4).SelectMany(i => Cascade($"C{i}", i)).ToList();
        Assert.That(Runs([.. four, .. Cascade("C0", 20), Deleveraging("C1", 3)]), Is.Empty, "four coins");
        Assert.That(Runs([.. four, .. Cascade("C4", 5, usdEach: 100)]), Has.Count.EqualTo(1), "its impact is worth an event");
        var small = Enumerable.Range(0, 5).Select(i => Row(5 + i, $"0xsmall{i}", 100, 100 - (i * 0.01m), "C4"));
        Assert.That(Runs([.. four, .. small]), Is.Empty, "a cascade of 500 USD is none");
        Assert.That(Runs([.. four, Deleveraging("C4", 6, usd: 1)]), Has.Count.EqualTo(1), "a deleveraging is, however small");
        Assert.That(Runs([.. four, Row(5, "0xa", 5_000_000, coin: "C4")]), Is.Empty, "a flash loan is no cascade");
    }

    [Test]
    public void Cascade_that_goes_on_counts_with_those_that_begin_later()
    {
        var long_ = Enumerable.Range(0, 30).Select(i => Row(i * 30, $"0xlong{i}", 200_000, 100 - i, "LONG"));
        Assert.That(Runs([.. long_, .. Enumerable.Range(0, 4).SelectMany(i => Cascade($"C{i}", 800 + i))])
            .Single().Coins.Select(coin => coin.Coin), Is.EquivalentTo(new[] { "LONG", "C0", "C1", "C2", "C3" }));
    }

    [Test]
    public void Two_storms_of_one_hour_are_two_runs_and_one_finding_of_the_larger_that_covers_the_coins_of_both()
    {
        var runs = Runs([.. Enumerable.Range(0, 6).SelectMany(i => Cascade($"A{i}", i)),
            .. Enumerable.Range(0, 5).SelectMany(i => Cascade($"B{i}", 1800 + i))]);
        Assert.That(runs.Select(run => run.Coins.Count), Is.EqualTo(new[] { 6, 5 }));
        var finding = MarketWideRule.Evaluate(runs, (_, _) => Unknown, Limits).Single();
        Assert.That((finding.Title.Split(' ')[0], finding.Covers.Count), Is.EqualTo(("6", 11)));
        Assert.That(MarketWideRule.Evaluate([], (_, _) => Unknown, Limits), Is.Empty);
    }

    [Test]
    public void Event_names_the_coins_and_sums_and_covers_what_its_coins_raise()
    {
        var rows = Enumerable.Range(0, 12).SelectMany(i => Cascade($"C{i}", i, usdEach: 100_000 + (i * 10_000)))
            .Append(Deleveraging("C3", 20, 250_000)).ToList();
        var finding = Find(rows, new VaultGain(4_200_000, ManualClock.Noon.AddSeconds(-30), ManualClock.Noon.AddSeconds(40)));
        Assert.That((finding.RuleId, finding.RuleVersion, finding.ThreatType, finding.Severity, finding.Fingerprint),
            Is.EqualTo(("liquidation.market-wide", 1, "cascade_liquidation", Severity.Critical, "liquidation.market-wide:hyperliquid")));
        Assert.That(finding.Title,
            Is.EqualTo("12 coins in cascade or deleveraging at once, 18.85 M USD; the HLP vault gains 4.20 M USD so far"));
        foreach (var coin in Enumerable.Range(0, 12).Select(i => $"C{i}"))
            Assert.That(finding.Description, Does.Contain($"{coin} "));
        Assert.That(finding.Description, Does.Contain("18600000.00 USD were liquidated in cascades of 12 coins and 250000.00 USD "
            + "auto-deleveraged in 1: C11 2.10 M, C10 2.00 M, "));
        Assert.That(finding.Description, Does.Contain("The HLP vault gained 4200000.00 USD from 11:59:30Z to 12:00:40Z"));
        Assert.That(finding.EstimatedLossUsd, Is.Null);
        var own = LiquidationRules.Evaluate(Patterns(rows), Limits);
        Assert.That(own.Select(one => one.Subject.Text).Distinct(), Is.EquivalentTo(finding.Covers), "as their own findings name them");
        Assert.That(finding.Covers, Is.Unique.And.Count.EqualTo(12));
        var third = finding.Evidence.Values["coins"]!.AsArray().Single(coin => (string)coin!["coin"]! == "C3")!;
        Assert.That(((decimal)third["usd"]!, (bool)third["cascade"]!, (bool)third["deleveraging"]!), Is.EqualTo((1_550_000m, true, true)));
    }

    [Test]
    public void What_the_vault_gains_or_loses_is_said_as_far_as_it_is_known_and_never_zero_for_unknown()
    {
        var rows = Enumerable.Range(0, 5).SelectMany(i => Cascade($"C{i}", i)).ToList();
        var unknown = Find(rows, Unknown);
        Assert.That(unknown.Title, Does.EndWith("; what the HLP vault gains or loses is not known"));
        Assert.That(unknown.Description, Does.Contain("What the HLP vault gains or loses by it is not known"));
        Assert.That((unknown.Evidence.Values["vault_pnl_usd"], unknown.EstimatedLossUsd), Is.EqualTo(((JsonNode?)null, (decimal?)null)));
        var loss = Find(rows, new VaultGain(-2_500_000.5m, ManualClock.Noon.AddSeconds(-9), ManualClock.Noon.AddSeconds(9)));
        Assert.That((loss.Title.Split("; ")[1], loss.EstimatedLossUsd),
            Is.EqualTo(("the HLP vault loses 2.50 M USD so far", 2_500_000.5m)));
        Assert.That(loss.Description, Does.Contain("The HLP vault lost 2500000.50 USD from 11:59:51Z to 12:00:09Z"));
        Assert.That(Find(rows, new VaultGain(0, ManualClock.Noon, ManualClock.Noon.AddSeconds(9))).Title,
            Does.EndWith("the HLP vault's PnL has not moved so far"));
    }

    [Test]
    public void Market_of_many_coins_still_fits_into_a_message_and_the_evidence_has_them_all()
    {
        var finding = Find(Enumerable.Range(0, 160).SelectMany(i => Cascade($"COIN{i:000}", i)), Unknown);
        Assert.That(finding.Description, Does.Contain(" and 120 more. ").And.Length.LessThan(2000));
        Assert.That((finding.Covers.Count, finding.Evidence.Values["coins"]!.AsArray().Count), Is.EqualTo((160, 160)));
    }

    [Test]
    public void Order_of_the_fills_and_repetition_change_nothing()
    {
        var rows = Enumerable.Range(0, 7).SelectMany(i => Cascade($"C{i}", i * 20)).Append(Deleveraging("C1", 50)).ToList();
        var expected = Find(rows, Unknown).Evidence.Values.ToJsonString();
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var shuffled = rows.Concat(rows.Where(_ => random.Next(3) == 0)).OrderBy(_ => random.Next());
            Assert.That(Find(shuffled, Unknown).Evidence.Values.ToJsonString(), Is.EqualTo(expected), $"seed {seed}");
        }
    }

    [Test]
    public void Run_is_news_when_it_was_none_before_or_goes_on_as_the_whole_market()
    {
        var storm = Enumerable.Range(0, 6).SelectMany(i => Cascade($"C{i}", i)).ToList();
        IReadOnlyList<MarketRun> News(IEnumerable<LiquidationFill> known, IReadOnlyList<LiquidationFill> fresh)
        {
            var found = Patterns([.. known, .. fresh]);
            return MarketRuns.FindNews(found, Patterns(known),
                [.. found.Where(pattern => fresh.Any(fill => LiquidationSearch.IsPart(fill, pattern)))], fresh, Limits);
        }

        Assert.That(News([], storm).Single().Coins, Has.Count.EqualTo(6));
        Assert.That(News(storm, []), Is.Empty, "what is stored is no news");
        Assert.That(News(storm, [Row(200, "0xlate", 200_000, 90, "C2"), Row(200, "0xlate2", 200_000, 90, "C3")]), Has.Count.EqualTo(1));
        Assert.That(News(storm.Where(row => row.Coin is "C0" or "C1"), [.. storm.Where(row => row.Coin is not "C0" and not "C1")])
            .Single().Coins, Has.Count.EqualTo(6), "read in two checks");
        // One coin's deleveraging goes on for half an hour after the market's end.
        List<LiquidationFill> tail = [.. storm, .. Enumerable.Range(0, 8).Select(i => Deleveraging("C0", i * 240))];
        Assert.That(News(tail, [Deleveraging("C0", 8 * 240)]), Is.Empty);
    }
}
