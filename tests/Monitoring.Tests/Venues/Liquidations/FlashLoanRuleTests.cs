using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Liquidations;
using static Monitoring.Tests.Venues.Liquidations.LiquidationSample;

namespace Monitoring.Tests.Venues.Liquidations;

/// <summary>What is liquidated within seconds is an attack by its share of the coin's volume, not by its amount.</summary>
public sealed class FlashLoanRuleTests
{
    private static readonly Dictionary<string, LiquidationPattern> None = [];

    private static Dictionary<string, CoinVolume> Volume(decimal? usd)
    {
        var volumes = new Dictionary<string, CoinVolume>();
        if (CoinVolume.Of(usd, ManualClock.Noon) is { } volume)
            volumes["ETH"] = volume;
        return volumes;
    }

    private static IReadOnlyList<LiquidationPattern> Mark(decimal usd, decimal? volume, LiquidationPattern? known = null) =>
        VolumeShares.Mark(Patterns([Row(0, "0xa", usd)]), known is null ? None : new() { [known.PatternId] = known }, Volume(volume));

    private static LiquidationPattern Pattern(decimal usd, decimal? volume, LiquidationPattern? known = null) =>
        Mark(usd, volume, known).Single();

    private static Finding? Find(decimal usd, decimal? volume) =>
        LiquidationRules.Evaluate(Mark(usd, volume), LiquidationThresholds.Default).SingleOrDefault();

    [TestCase(2_000_000, 3e9, Severity.Medium)] // an ordinary day of BTC
    [TestCase(3_999_999, 400_000_000, Severity.Medium)]
    [TestCase(4_000_000, 400_000_000, Severity.Critical)]
    [TestCase(9_000_000, null, Severity.Medium)]
    [TestCase(9_000_000, 0, Severity.Medium)]
    [TestCase(9_000_000, -5, Severity.Medium)]
    [TestCase(9_000_000, 1e-20, Severity.Medium)]
    [TestCase(500_000, 400_000_000, null)] // a score of 40
    [TestCase(500_000, 50_000_000, Severity.Critical)] // a thin coin: an attack whatever its score
    [TestCase(499_999, 1_000_000, null)]
    public void Attack_is_a_hundredth_of_the_volume(decimal usd, decimal? volume, Severity? severity) =>
        Assert.That(Find(usd, volume)?.Severity, Is.EqualTo(severity));

    [Test]
    public void Event_says_the_share_and_how_it_was_reckoned()
    {
        var attack = Find(1_000_000, 50_000_000)!;
        Assert.That((attack.RuleId, attack.RuleVersion, attack.ThreatType),
            Is.EqualTo(("liquidation.flash-loan", 2, "flash_loan_attack")));
        Assert.That(attack.Title, Is.EqualTo("ETH: 1.00 M USD liquidated within 10 s, 2 % of the coin's volume of 24 h"));
        Assert.That(attack.Evidence.Arithmetic, Has.Some.EqualTo("share = 100 * 1000000.00 / 50000000.00 (volume of 24 h at "
            + "2026-11-21T12:00:00Z) = 2 % >= 1 %: critical"));
        Assert.That(Find(500_000, 50_000_000)!.Evidence.Arithmetic[^1], Is.EqualTo("suspicion score 40 < 50: an event by its share alone"));
    }

    [Test]
    public void Unknown_volume_is_said_and_neither_calm_nor_an_attack()
    {
        foreach (var volume in new decimal?[] { null, 0 })
        {
            var unknown = Find(2_000_000, volume)!;
            Assert.That((unknown.Severity, unknown.ThreatType), Is.EqualTo((Severity.Medium, "suspicious_liquidation")));
            Assert.That(unknown.Title, Does.EndWith("the coin's volume of 24 h is not known"));
            Assert.That(unknown.Evidence.Arithmetic, Has.Some.StartsWith("share: not known, the venue gave no volume"));
            Assert.That(new[] { unknown.Evidence.Values["day_volume_usd"], unknown.Evidence.Values["volume_share_pct"] }, Is.All.Null);
        }
    }

    [Test]
    public void Share_never_falls_once_it_was_seen_and_outlives_what_is_known_of_it()
    {
        var attack = Pattern(4_000_000, 400_000_000);
        Assert.That(VolumeShares.Of(Pattern(4_000_000, 800_000_000, attack)), Is.EqualTo(1m), "the volume grows by the attack itself");
        Assert.That(VolumeShares.Of(Pattern(4_000_000, null, attack)), Is.EqualTo(1m), "a later check has no volume");
        Assert.That(VolumeShares.Of(Pattern(600_000, null, attack)), Is.EqualTo(1m), "its beginning is too old for the history");
        Assert.That(VolumeShares.Of(Pattern(8_000_000, null, attack)), Is.EqualTo(2m));
        Assert.That(VolumeShares.Of(Pattern(4_000_000, 400_000_000, Pattern(4_000_000, null))), Is.EqualTo(1m), "learnt later");
    }

    [Test]
    public void Worst_of_several_is_the_finding()
    {
        var rows = Patterns([Row(0, "0xa", 6_000_000), Row(600, "0xb", 600_000)]);
        var marked = rows.Select(pattern => pattern.StartTime == ManualClock.Noon ? pattern
            : VolumeShares.Mark([pattern], None, Volume(20_000_000)).Single());
        Assert.That(LiquidationRules.Evaluate(marked, LiquidationThresholds.Default).Single().Severity, Is.EqualTo(Severity.Critical));
    }
}
