using Monitoring.Worker.Venues.Oracle;
using Monitoring.Worker.Venues.Oracle.Sources;
using static Monitoring.Tests.Venues.OracleSample;

namespace Monitoring.Tests.Venues;

public sealed class ReferenceSelectionTests
{
    private static readonly DateTimeOffset Noon = ManualClock.Noon;
    private readonly TestLogs _logs = new();
    private ReferenceSelection _selection = null!;

    [SetUp]
    public void Create() => _selection = new ReferenceSelection(Options, _logs.For<ReferenceSelection>());

    [TearDown]
    public void Dispose() => _logs.Dispose();

    private OracleReading Select(
        string asset, decimal oracle, SourceAnswer[] answers, DateTimeOffset? at = null, decimal dayVolume = 100_000_000) =>
        _selection.Select(
            SymbolTable.ByAsset[asset], Market(oracle, dayVolume), answers, ReferenceSelection.UsdtInUsd(answers, at ?? Noon), at ?? Noon);

    [Test]
    public void Thousand_of_a_k_coin_is_compared() =>
        Assert.That(Select("kPEPE", 0.0071m, [Answer(Binance, "kPEPE", 0.0000071m)]).References,
            Is.EqualTo(new[] { new Reference("binance", QuoteCurrency.Usdt, 0.0071m) }));

    [Test]
    public void Usd_is_converted_and_usdt_compared_as_it_is()
    {
        var reading = Select("BTC", 100_000,
            [Answer(Binance, "BTC", 100_000), Answer(Kraken, "BTC", 99_200, usdt: 0.992m), Answer(Coinbase, "BTC", 99_200, usdt: 0.992m)]);
        Assert.That(reading.References.Select(reference => (reference.Source, reference.Price)),
            Is.EqualTo(new[] { ("binance", 100_000m), ("kraken", 100_000m), ("coinbase", 100_000m) }));
        Assert.That((reading.UsdPrice, reading.LeftOut.Count), Is.EqualTo(((decimal?)99_200, 0)));
    }

    [Test]
    public void Rate_is_the_median_of_those_who_have_it_and_a_broken_one_does_not_count()
    {
        Assert.That(ReferenceSelection.UsdtInUsd(
            [Answer(Kraken, "BTC", 1, usdt: 0.99m), Answer(Coinbase, "BTC", 1, usdt: 0.98m), Answer(Binance, "BTC", 1)], Noon),
            Is.EqualTo(0.985m));
        Assert.That(ReferenceSelection.UsdtInUsd([Answer(Kraken, "BTC", 1, usdt: 0.00001m), new SourceAnswer(Coinbase, null, Noon)], Noon),
            Is.Null);
    }

    [Test]
    public void Without_a_rate_usd_sources_are_left_out_and_counted()
    {
        var reading = Select("BTC", 100, [Answer(Binance, "BTC", 100), Answer(Kraken, "BTC", 99), Answer(Coinbase, "BTC", 99)]);
        Assert.That(reading.References.Select(reference => reference.Source), Is.EqualTo(new[] { "binance" }));
        Assert.That(reading.LeftOut, Is.EqualTo(new[] { "kraken: no usdt rate", "coinbase: no usdt rate" }));
        Assert.That(reading.UsdPrice, Is.EqualTo(99), "what the dollar price is stays known");
    }

    [Test]
    public void Failed_missing_crossed_and_old_references_are_left_out_each_with_its_reason()
    {
        var crossed = new SourceAnswer(
            Kraken, new Dictionary<string, ReferenceQuote> { ["XBTUSD"] = new(101, 99), ["USDTUSD"] = new(1, 1) }, Noon);
        var reading = Select("BTC", 100, [new SourceAnswer(Binance, null, Noon), Answer(Coinbase, "ETH", 100), crossed,
            Answer(Okx, "BTC", 100, at: Noon.AddMinutes(-5).AddSeconds(-1))]);
        Assert.That(reading.References, Is.Empty);
        Assert.That(reading.LeftOut, Is.EqualTo(new[] { "binance: failed", "coinbase: missing", "kraken: crossed", "okx: stale" }));
    }

    [Test]
    public void Book_that_stands_still_for_five_minutes_is_left_out_on_a_liquid_asset_alone()
    {
        SourceAnswer[] answers = [Answer(Binance, "BTC", 100), Answer(Binance, "SAGA", 1)];
        foreach (var (second, btc) in new[] { (0, true), (299, true), (300, false), (360, false) })
        {
            Assert.That(Select("BTC", 100, answers[..1], Noon.AddSeconds(second)).References.Count, Is.EqualTo(btc ? 1 : 0), $"{second} s");
            Assert.That(Select("SAGA", 1, answers[1..], Noon.AddSeconds(second), dayVolume: 1000).References, Has.Count.EqualTo(1));
        }

        Assert.That(Select("BTC", 100, [Answer(Binance, "BTC", 100.01m)], Noon.AddSeconds(361)).References,
            Has.Count.EqualTo(1), "it moves again");
    }

    [Test]
    public void Pair_that_is_another_asset_is_refused_until_it_fits_and_an_attack_later_does_not_refuse_it()
    {
        SourceAnswer[] answers = [Answer(Binance, "SAGA", 1.21m), Answer(Okx, "SAGA", 1.2m, at: Noon)];
        for (var i = 0; i < 2; i++)
            Assert.That(Select("SAGA", 1, answers) is { LeftOut: ["binance: refused"], References: [{ Source: "okx" }] },
                Is.True, "counted each time");
        Assert.That(_logs.Lines.Count(line => line.Text.StartsWith("binance is not held against SAGA", StringComparison.Ordinal)),
            Is.EqualTo(1));
        var attack = Select("SAGA", 2, [Answer(Binance, "SAGA", 1.2m), Answer(Okx, "SAGA", 1.2m, at: Noon)]);
        Assert.That((attack.LeftOut.Single(), attack.References.Single().Source), Is.EqualTo(("binance: refused", "okx")));
    }

    [Test]
    public void Pair_that_was_refused_in_an_attack_is_held_against_the_asset_afterwards()
    {
        SourceAnswer[] answers = [Answer(Binance, "SAGA", 1), Answer(Okx, "SAGA", 1, at: Noon)];
        var attacked = Select("SAGA", 1.3m, answers);
        Assert.That((attacked.References.Count, string.Join(' ', attacked.Refused)), Is.EqualTo((0, "binance okx")));
        Assert.That(Select("SAGA", 1.1m, answers).References, Has.Count.EqualTo(2));
        Assert.That(_logs.Lines.Count(line => line.Text.Contains("is held against SAGA from now on", StringComparison.Ordinal)),
            Is.EqualTo(2));
        Assert.That(Select("SAGA", 1.5m, answers).References, Has.Count.EqualTo(2), "accepted once and for all");
    }

    [Test]
    public void Outlier_is_left_out_and_does_not_take_the_good_ones_along()
    {
        List<Reference> references = [new("a", QuoteCurrency.Usdt, 100), new("b", QuoteCurrency.Usdt, 160),
            new("c", QuoteCurrency.Usd, 101)];
        Assert.That(ReferenceSelection.DropOutliers(references).Select(reference => reference.Source), Is.EqualTo(new[] { "b" }));
        Assert.That(references.Select(reference => reference.Source), Is.EqualTo(new[] { "a", "c" }));
    }

    [Test]
    public void Of_two_that_disagree_neither_is_believed()
    {
        List<Reference> references = [new("a", QuoteCurrency.Usdt, 100), new("b", QuoteCurrency.Usdt, 130)];
        Assert.That(ReferenceSelection.DropOutliers(references), Has.Count.EqualTo(2));
        Assert.That(references, Is.Empty);
    }

    [Test]
    public void A_fifth_apart_is_no_outlier() =>
        Assert.That(ReferenceSelection.DropOutliers([new("a", QuoteCurrency.Usdt, 100), new("b", QuoteCurrency.Usdt, 120)]), Is.Empty);
}
