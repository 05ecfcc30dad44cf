using System.Text.Json.Nodes;
using Monitoring.Data.Checks;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Tests.Venues.Mutations;

/// <summary>What is watched and missing, or there and unusable, is not judged and named; everything else is judged.</summary>
public sealed class PartlyUnreadableTests
{
    private readonly TestLogs _logs = new();
    private CannedVenue _venue = null!;

    [SetUp]
    public void Create() => _venue = new CannedVenue(RecordedAnswers.PortfolioAt, _logs);

    [TearDown]
    public void NothingIsADefect()
    {
        _venue.Dispose();
        Assert.That(_logs.Lines.Select(line => line.Text), Has.None.Contains("defect of this program"));
        _logs.Dispose();
    }

    private static JsonArray Universe(JsonNode markets) => markets[0]!["universe"]!.AsArray();

    private void TakeOut(string coin) => _venue.Change("metaAndAssetCtxs", markets =>
    {
        var index = Array.IndexOf(RecordedAnswers.Coins, coin);
        Universe(markets).RemoveAt(index);
        markets[1]!.AsArray().RemoveAt(index);
    });

    private static IEnumerable<string> FingerprintsOf(CheckResult result) => result.Findings.Select(finding => finding.Fingerprint);

    [Test]
    public async Task Asset_that_the_venue_does_not_answer_for_is_not_judged_and_then_an_event_until_it_is_delisted()
    {
        Assert.That(FingerprintsOf(await _venue.CheckAsync("oracle")), Is.EqualTo(new[] { "oracle.deviation:BTC" }));
        TakeOut("BTC");
        var missing = await _venue.CheckAsync("oracle", 10);
        Assert.That(missing.Findings, Is.Empty);
        Assert.That(missing.Unjudged, Is.SupersetOf(new[] { "oracle.deviation:BTC", "monitor.stale:oracle BTC" }));
        Assert.That(missing.Observations.Cast<OracleDeviation>().Select(row => row.Asset), Is.EqualTo(new[] { "ETH", "SOL" }));
        var blind = await _venue.CheckAsync("oracle", 60);
        Assert.That(FingerprintsOf(blind), Is.EqualTo(new[] { "monitor.stale:oracle BTC" }));
        Assert.That(blind.Findings.Single().Description, Does.Contain("the venue's answer does not have it any more"));
        Assert.That(blind.Unjudged, Has.Member("oracle.deviation:BTC"));

        _venue.Change("metaAndAssetCtxs", markets =>
        {
            Universe(markets).Add(new JsonObject { ["name"] = "BTC", ["isDelisted"] = true });
            markets[1]!.AsArray().Add(markets[1]![0]!.DeepClone());
        });
        var over = await _venue.CheckAsync("oracle", 10);
        Assert.That(over.Findings, Is.Empty);
        Assert.That(over.Unjudged, Has.None.EndsWith("BTC"));
        Assert.That(new[] { "oracle.deviation:BTC", "monitor.stale:oracle BTC" }.Select(over.Endings.GetValueOrDefault),
            Is.All.EqualTo("delisted by the venue"));
    }

    [Test]
    public async Task Asset_that_is_missing_in_the_first_check_of_a_process_is_not_judged()
    {
        TakeOut("BTC");
        Assert.That((await _venue.CheckAsync("oracle")).Unjudged,
            Is.SupersetOf(new[] { "oracle.deviation:BTC", "monitor.stale:oracle BTC" }));
    }

    [TestCase("HYPE", new string[0])]
    [TestCase("ETH", new[] { "oracle.deviation:ETH", "monitor.stale:oracle ETH" })]
    public async Task Market_without_an_oracle_price_leaves_the_others(string coin, string[] unjudged)
    {
        await _venue.CheckAsync("oracle");
        _venue.Change("metaAndAssetCtxs",
            markets => markets[1]![Array.IndexOf(RecordedAnswers.Coins, coin)]!["oraclePx"] = null);
        var result = await _venue.CheckAsync("oracle", 10);
        Assert.That(FingerprintsOf(result), Is.EqualTo(new[] { "oracle.deviation:BTC" }));
        Assert.That(result.Unjudged, Is.SupersetOf(unjudged));
        Assert.That(result.Observations, Has.Count.EqualTo(coin == "HYPE" ? 3 : 2));
        Assert.That(_venue.LeftOut.Count, Is.EqualTo(1));
        Assert.That(_logs.Lines.Count(line => line.Text.StartsWith(
            $"hyperliquid metaAndAssetCtxs: 1 parts cannot be read and are left out, none is judged as over: {coin}; ",
            StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public async Task Market_that_is_there_twice_is_neither()
    {
        await _venue.CheckAsync("oracle");
        _venue.Change("metaAndAssetCtxs", markets => Universe(markets)[1]!["name"] = "BTC");
        var result = await _venue.CheckAsync("oracle", 10);
        Assert.That(result.Unjudged, Is.SupersetOf(new[] { "oracle.deviation:BTC", "oracle.deviation:ETH" }));
        Assert.That(result.Observations.Cast<OracleDeviation>().Single().Asset, Is.EqualTo("SOL"));
    }

    [Test]
    public async Task Pair_that_kraken_does_not_know_does_not_take_the_others_away()
    {
        const string Unknown = """{"error":["EQuery:Unknown asset pair"]}""";
        var all = _venue.Text("/0/public/Ticker");
        _venue.Set("/0/public/Ticker?pair=XBTUSD,ETHUSD,SOLUSD,USDTUSD", Unknown);
        _venue.Set("/0/public/Ticker?pair=XBTUSD,ETHUSD,USDTUSD", all.Replace("SOLUSD", "SOLEUR"));
        _venue.Set("/0/public/Ticker", all.Replace("SOLUSD", "SOLEUR"));
        foreach (var asked in new[] { 2, 1, 1 })
        {
            _venue.Asked.Clear();
            var rows = (await _venue.CheckAsync("oracle", 10)).Observations.Cast<OracleDeviation>().ToList();
            Assert.That(rows.Select(row => (row.Asset, row.KrakenPrice is not null, string.Join(';', row.LeftOut))),
                Is.EqualTo(new[] { ("BTC", true, ""), ("ETH", true, ""), ("SOL", false, "kraken: missing") }));
            Assert.That(_venue.Asked.Count(key => key.StartsWith("/0/", StringComparison.Ordinal)), Is.EqualTo(asked));
        }

        Assert.That(_logs.Lines.Count(line => line.Text.StartsWith("kraken does not know SOLUSD", StringComparison.Ordinal)),
            Is.EqualTo(1));
        _venue.Clock.Advance(TimeSpan.FromHours(1));
        _venue.Asked.Clear();
        await _venue.CheckAsync("oracle");
        Assert.That(_venue.Asked, Has.Member("/0/public/Ticker?pair=XBTUSD,ETHUSD,SOLUSD,USDTUSD"), "it may know the pair again");
    }

    [Test]
    public async Task Pair_of_coinbase_that_fails_leaves_the_others_and_a_source_that_is_away_for_long_is_an_event()
    {
        _venue.Set("/products/ETH-USD/ticker", "[]");
        var rows = (await _venue.CheckAsync("oracle")).Observations.Cast<OracleDeviation>().ToList();
        Assert.That(rows.Select(row => string.Join(';', row.LeftOut)), Is.EqualTo(new[] { "", "coinbase: unreadable", "" }));

        _venue.Set("/api/v3/ticker/bookTicker", "{}");
        var away = await _venue.CheckAsync("oracle", 10);
        Assert.That(away.Unjudged, Has.Member("monitor.stale:oracle price source binance"));
        Assert.That(FingerprintsOf(await _venue.CheckAsync("oracle", 60)),
            Is.EqualTo(new[] { "oracle.deviation:BTC", "monitor.stale:oracle price source binance" }));
    }

    [Test]
    public async Task Asset_that_has_lost_its_references_is_blind_after_a_while()
    {
        await _venue.CheckAsync("oracle");
        _venue.Change("/api/v3/ticker/bookTicker",
            tickers => tickers.AsArray().Single(ticker => (string)ticker!["symbol"]! == "SOLUSDT")!["bidPrice"] = "");
        _venue.Change("/api/v5/market/tickers", answer => answer["data"]!.AsArray().RemoveAt(2));
        _venue.Set("/products/SOL-USD/ticker", (string?)null);
        _venue.Change("/0/public/Ticker", answer => answer["result"]!.AsObject().Remove("SOLUSD"));
        Assert.That((await _venue.CheckAsync("oracle", 10)).Unjudged,
            Is.SupersetOf(new[] { "oracle.deviation:SOL", "monitor.stale:oracle SOL" }));
        var blind = (await _venue.CheckAsync("oracle", 60)).Findings.Single(finding => finding.RuleId == "monitor.stale");
        Assert.That(blind.Fingerprint, Is.EqualTo("monitor.stale:oracle SOL"));
        Assert.That(blind.Description, Does.Contain("1 of the 2 fresh references that a verdict needs; left out: binance: crossed, "
            + "okx: missing, coinbase: missing, kraken: missing"));
    }

    [Test]
    public async Task Coin_that_is_there_twice_in_an_account_is_not_judged_and_the_other_coins_are()
    {
        _venue.ListEveryCoin();
        var good = await _venue.CheckAsync("inventory");
        Assert.That(FingerprintsOf(good), Has.Member($"hlp.inventory:{CannedVenue.Whale}:ATOM"));
        _venue.Change($"clearinghouseState {CannedVenue.Whale}", state =>
            state["assetPositions"]!.AsArray().Add(state["assetPositions"]![0]!.DeepClone()));
        var result = await _venue.CheckAsync("inventory", 10);
        Assert.That(FingerprintsOf(good).Except(FingerprintsOf(result)), Is.EqualTo(new[] { $"hlp.inventory:{CannedVenue.Whale}:ATOM" }));
        Assert.That(result.Unjudged, Is.SupersetOf(new[]
        {
            $"hlp.inventory:{CannedVenue.Whale}:ATOM", $"hlp.takeover:{CannedVenue.Whale}:ATOM",
            $"monitor.stale:inventory {CannedVenue.Whale}",
        }));
        Assert.That(result.Unjudged.Count(entry => entry.StartsWith("hlp.inventory")), Is.EqualTo(1));
        var blind = (await _venue.CheckAsync("inventory", 60)).Findings.Single(finding => finding.RuleId == "monitor.stale");
        Assert.That(blind.Description, Does.Contain("ATOM: is there twice"));
        Assert.That((await _venue.CheckAsync("hlp-vault")).Observations.OfType<HlpVaultComponent>().Single().ComponentAddress,
            Is.EqualTo(CannedVenue.Small), "a row of less than the account would say that less is held");
    }

    [TestCase("0.0")]
    [TestCase(null)]
    public async Task Position_that_is_worth_nothing_is_no_small_one(string? value)
    {
        _venue.ListEveryCoin();
        await _venue.CheckAsync("inventory");
        _venue.Change(
            $"clearinghouseState {CannedVenue.Whale}", state => state["assetPositions"]![0]!["position"]!["positionValue"] = value);
        var result = await _venue.CheckAsync("inventory", 10);
        Assert.That(result.Unjudged, Has.Member($"hlp.inventory:{CannedVenue.Whale}:ATOM"));
        Assert.That(result.Observations, Has.Count.EqualTo(36));
    }

    [Test]
    public async Task Position_that_is_missing_in_the_list_but_not_in_the_sum_is_not_over()
    {
        _venue.ListEveryCoin();
        await _venue.CheckAsync("inventory");
        _venue.Change($"clearinghouseState {CannedVenue.Whale}", state => state["assetPositions"]!.AsArray().RemoveAt(0));
        var result = await _venue.CheckAsync("inventory", 10);
        Assert.That(result.Unjudged, Has.Member($"hlp.inventory:{CannedVenue.Whale}:*"));
        Assert.That(result.Observations, Has.Count.EqualTo(36), "the others are judged");
    }

    [Test]
    public async Task Position_of_a_coin_that_the_venue_does_not_have_has_lost_anothers_name()
    {
        _venue.ListEveryCoin();
        await _venue.CheckAsync("inventory");
        _venue.Change($"clearinghouseState {CannedVenue.Whale}", state => state["assetPositions"]![0]!["position"]!["coin"] = "ATON");
        var result = await _venue.CheckAsync("inventory", 10);
        Assert.That(result.Unjudged, Has.Member($"hlp.inventory:{CannedVenue.Whale}:*"));
        Assert.That(result.Observations, Has.Count.EqualTo(37), "and is kept as it is called");
    }

    [Test]
    public async Task Component_that_is_not_named_any_more_is_looked_at_all_the_same()
    {
        _venue.ListEveryCoin();
        var good = await _venue.CheckAsync("inventory");
        _venue.Change("vaultDetails", vault => vault["relationship"]!["data"]!["childAddresses"] = new JsonArray(CannedVenue.Small));
        Assert.That(FingerprintsOf(await _venue.CheckAsync("inventory", 200)), Is.EqualTo(FingerprintsOf(good)));
        Assert.That((await _venue.CheckAsync("hlp-vault")).Observations.OfType<HlpVaultComponent>().Count(), Is.EqualTo(2));
        await _venue.CheckAsync("liquidations");
        Assert.That(_venue.Asked, Has.Member($"userFillsByTime {CannedVenue.Whale}"));
        Assert.That(_logs.Lines.Count(line => line.Text.StartsWith(
            $"component {CannedVenue.Whale} is not in the vault's list any more; it is looked at for 24 hours", StringComparison.Ordinal)),
            Is.EqualTo(1));
    }

    [Test]
    public async Task List_of_components_with_a_hole_ends_no_event()
    {
        _venue.ListEveryCoin();
        await _venue.CheckAsync("inventory");
        await _venue.CheckAsync("inventory", 175);
        _venue.Change("vaultDetails", vault => vault["relationship"]!["data"]!["childAddresses"]!.AsArray().Add(null));
        var result = await _venue.CheckAsync("inventory", 10);
        Assert.That(result.Unjudged,
            Is.SupersetOf(new[] { "monitor.stale:inventory the list of components", "hlp.inventory:*", "hlp.takeover:*" }));
        Assert.That((await _venue.CheckAsync("hlp-vault")).Observations.OfType<HlpVaultSnapshot>().Single().HealthIssues,
            Has.Some.EqualTo("not all components are known: childAddresses[2]: 'Null' is no address"));
    }

    [Test]
    public async Task Point_of_the_vaults_series_that_cannot_be_read_ends_no_event()
    {
        var good = await _venue.CheckAsync("hlp-vault");
        _venue.Change("vaultDetails", vault => vault["portfolio"]![0]![1]!["pnlHistory"]![3]![1] = "x");
        var result = await _venue.CheckAsync("hlp-vault", 10);
        Assert.That(result.Run.Error, Is.Null);
        Assert.That(result.Unjudged, Is.SupersetOf(HlpVaultRuleSet.All.Select(rule => $"{rule.Id}:{Sample.Vault}")));
        Assert.That(result.Unjudged, Has.Member("monitor.stale:hlp-vault the vault's own figures"));
        Assert.That(FingerprintsOf(result), Is.EqualTo(FingerprintsOf(good)));
    }

    [Test]
    public async Task Figures_of_a_time_to_come_are_none()
    {
        _venue.Clock.Advance(TimeSpan.FromMinutes(-16));
        foreach (var monitor in new[] { "hlp-vault", "inventory" })
            Assert.That((await _venue.CheckAsync(monitor)).Run.Error, Does.EndWith("which is yet to come"));
    }

    [TestCase("px", null), TestCase("time", 9_000_000_000_000), TestCase("time", 1), TestCase("side", "x"), TestCase("sz", "0.0")]
    public async Task Fill_that_cannot_be_used_is_a_gap_and_the_others_count(string member, object? value)
    {
        var key = $"userFillsByTime {CannedVenue.Whale}";
        _venue.Change(key, fills => fills[20]![member] = value is null ? null : JsonValue.Create(value));
        var result = await _venue.CheckAsync("liquidations");
        Assert.That((result.Run.Error, result.Observations.OfType<LiquidationFill>().Count()), Is.EqualTo(((string?)null, 7)));
        Assert.That(result.Unjudged, Has.Member($"monitor.stale:liquidations {CannedVenue.Whale}"));
        Assert.That(result.Observations.OfType<LiquidationPattern>(), Is.Not.Empty);
        Assert.That(result.Observations.OfType<LiquidationPattern>().Select(pattern => pattern.Indicators),
            Has.All.Contains("\"incomplete\":true"));
        _venue.Set(key, "[]");
        Assert.That((await _venue.CheckAsync("liquidations", 10)).Run.Outcome, Is.EqualTo(CheckOutcome.Succeeded));
    }

    [Test]
    public async Task Names_of_the_venue_are_fit_wherever_they_go()
    {
        _venue.Change(
            $"clearinghouseState {CannedVenue.Whale}", state => state["assetPositions"]![0]!["position"]!["coin"] = "AT\0OM\u202E");
        _venue.Change($"userFillsByTime {CannedVenue.Whale}", fills =>
        {
            fills[20]!["coin"] = "E\0TH";
            fills[21]!["liquidation"]!["liquidatedUser"] = "0x\u20661";
            fills[22]!["hash"] = "0x\01";
        });
        var results = new[] { await _venue.CheckAsync("inventory"), await _venue.CheckAsync("liquidations") };
        Assert.That(results[0].Observations.OfType<HlpVaultPosition>().Select(row => row.Coin), Has.Some.StartsWith("ATOM~"));
        foreach (var result in results)
            Assert.That(System.Text.Json.JsonSerializer.Serialize(result, CheckResult.Json),
                Does.Not.Contain("\\u0000").And.Not.Contain("\\u202E").And.Not.Contain("\\u2066"));
    }
}
