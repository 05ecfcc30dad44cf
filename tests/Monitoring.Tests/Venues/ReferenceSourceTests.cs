using System.Text.Json;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Oracle;
using Monitoring.Worker.Venues.Oracle.Sources;

namespace Monitoring.Tests.Venues;

/// <summary>Each source's answer in its own shape.</summary>
public sealed class ReferenceSourceTests
{
    private const string Okx = """
        {"code":"0","msg":"","data":[{"instType":"SPOT","instId":"BTC-USDT","last":"82201.5","bidPx":"82200","askPx":"82202",
        "ts":"1763726400123"},{"instId":"NEW-USDT","bidPx":"","askPx":"","ts":"1763726400000"}]}
        """;
    private const string Kraken = """{"error":[],"result":{"XXBTZUSD":{"a":["82202.0","1","1.000"],"b":["82200.0","2","2.000"]"""
        + ""","c":["82199.0","0.1"]},"USDTZUSD":{"a":["0.9993","1","1"],"b":["0.9991","1","1"]},"SOLUSD":{"a":["124.6","1","1"]"""
        + ""","b":["124.4","1","1"]}}}""";
    private const string Pyth = """{"binary":{"encoding":"hex","data":["00"]}"""
        + ""","parsed":[{"id":"e62d","price":{"price":"8220123456789","conf":"3000000000","expo":-8,"publish_time":1763726400}"""
        + ""","ema_price":{},"metadata":{}},{"id":"dead","price":{"price":"100","conf":"50","expo":-8,"publish_time":1763726400}}]}""";
    private const string Coinbase = """{"ask":"82202.01","bid":"82200.01","volume":"9000.1","trade_id":1"""
        + ""","price":"82201","size":"0.01","time":"2025-11-21T12:00:00.123456Z"}""";

    private static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    [Test]
    public void Recorded_binance_book_is_read()
    {
        var quote = BinanceSource.Parse(Json(RecordedAnswers.Text("binance_spot_bookTicker_BTCUSDT.json")), ["BTCUSDT"])["BTCUSDT"];
        Assert.That(quote, Is.EqualTo(new ReferenceQuote(6621.55m, 6622.1m)));
        Assert.That((quote.Mid, quote.IsCrossed), Is.EqualTo((6621.825m, false)));
    }

    [Test]
    public void Recorded_binance_list_gives_what_was_asked_for_alone()
    {
        var quotes = BinanceSource.Parse(
            Json(RecordedAnswers.Text("binance_spot_ticker24hr_BTC_ETH_2024-11-01.json")), ["ETHUSDT", "NONEUSDT"]);
        Assert.That(quotes.Single(), Is.EqualTo(KeyValuePair.Create("ETHUSDT", new ReferenceQuote(2509.71m, 2509.72m))));
    }

    [Test]
    public void Binance_price_without_a_book_is_no_reference() =>
        Assert.That(BinanceSource.Parse(
            Json(RecordedAnswers.Text("binance_spot_ticker_price_BTCUSDT.json")), ["BTCUSDT"])["BTCUSDT"].Problem,
            Is.EqualTo("unexpected answer: no bidPrice of kind String"));

    [Test]
    public void Okx_book_has_its_time_and_an_empty_side_is_crossed()
    {
        var quotes = OkxSource.Parse(Json(Okx), ["BTC-USDT", "NEW-USDT"]);
        Assert.That(quotes["BTC-USDT"],
            Is.EqualTo(new ReferenceQuote(82200, 82202, DateTimeOffset.FromUnixTimeMilliseconds(1763726400123))));
        Assert.That(quotes["NEW-USDT"].IsCrossed, Is.True);
    }

    [Test]
    public void Okx_error_comes_with_a_code() =>
        Assert.That(() => OkxSource.Parse(Json("""{"code":"51001","msg":"Instrument ID does not exist","data":[]}"""), []),
            Throws.TypeOf<MissingDataException>().With.Message.EqualTo("error 51001: Instrument ID does not exist"));

    [Test]
    public void Kraken_results_are_taken_as_they_are_keyed()
    {
        var quotes = KrakenSource.Parse(Json(Kraken), ["XBTUSD", "SOLUSD", "USDTUSD"]);
        Assert.That(quotes.Select(pair => (pair.Key, pair.Value.Mid)),
            Is.EquivalentTo(new[] { ("XBTUSD", 82201m), ("USDTUSD", 0.9992m), ("SOLUSD", 124.5m) }));
    }

    [Test]
    public void Kraken_error_comes_with_status_200() =>
        Assert.That(() => KrakenSource.Parse(Json("""{"error":["EQuery:Unknown asset pair"]}"""), ["XBTUSD"]),
            Throws.TypeOf<MissingDataException>().With.Message.EqualTo("EQuery:Unknown asset pair"));

    [Test]
    public void Pyth_price_is_scaled_and_one_without_confidence_left_out()
    {
        var quotes = PythSource.Parse(Json(Pyth), ["e62d", "dead", "gone"]);
        Assert.That(quotes.Keys, Is.EqualTo(new[] { "e62d", "dead" }));
        Assert.That(quotes["e62d"],
            Is.EqualTo(new ReferenceQuote(82201.23456789m, 82201.23456789m, DateTimeOffset.FromUnixTimeSeconds(1763726400))));
        Assert.That(quotes["dead"].Problem, Is.EqualTo("a price of 100 that is sure to 50"));
    }

    [Test]
    public void Coinbase_book_is_read() =>
        Assert.That(CoinbaseSource.Parse(Json(Coinbase)), Is.EqualTo(new ReferenceQuote(82200.01m, 82202.01m)));

    [TestCase("""{"code":"0","data":[{"instId":"BTC-USDT","bidPx":1,"askPx":1,"ts":"1"},{"instId":7},null],"error":[],"""
        + """ "result":{"XBTUSD":{"a":[1],"b":[1]}},"parsed":[{"id":"x","price":{"price":1,"conf":"1","expo":1,"publish_time":1}}]}""")]
    [TestCase("""{"code":"0","data":[{"instId":"BTC-USDT","bidPx":"1","askPx":"1","ts":"1"},{"instId":"BTC-USDT","bidPx":"2","""
        + """ "askPx":"2","ts":"1"}],"error":[],"result":{"XBTUSD":{"a":["1"],"b":["1"]},"XXBTZUSD":{"a":["2"],"b":["2"]}},"parsed":["""
        + """{"id":"x","price":{"price":"9e28","conf":"1","expo":9,"publish_time":1}}]}""")]
    public void Book_that_cannot_be_read_says_so_and_leaves_the_others(string text)
    {
        var json = Json(text);
        Assert.That(OkxSource.Parse(json, ["BTC-USDT", "ETH-USDT"]).Values.Single().Problem, Is.Not.Null);
        Assert.That(KrakenSource.Parse(json, ["XBTUSD"]).Values.Single().Problem, Is.Not.Null);
        Assert.That(PythSource.Parse(json, ["x"]).Values.Single().Problem, Is.Not.Null);
    }

    [Test]
    public void Ticker_of_nobody_spoils_nothing() =>
        Assert.That(BinanceSource.Parse(Json("""[null,7,{"symbol":null},{"symbol":"\ud800"},{"symbol":"XUSDT","bidPrice":1},"""
            + """{"symbol":"BTCUSDT","bidPrice":"1","askPrice":"2"}]"""), ["BTCUSDT", "ETHUSDT"]).Single(),
            Is.EqualTo(KeyValuePair.Create("BTCUSDT", new ReferenceQuote(1, 2))));

    [TestCase("null"), TestCase("{}"), TestCase("[]"), TestCase("[1]"), TestCase("\"x\"")]
    [TestCase("""{"code":0,"data":{},"error":null,"result":[],"parsed":{},"bid":1,"ask":1}""")]
    public void Changed_shape_is_missing_data(string text)
    {
        var json = Json(text);
        Assert.That(() => OkxSource.Parse(json, ["BTC-USDT"]), Throws.TypeOf<MissingDataException>());
        Assert.That(() => KrakenSource.Parse(json, ["XBTUSD"]), Throws.TypeOf<MissingDataException>());
        Assert.That(() => PythSource.Parse(json, ["x"]), Throws.TypeOf<MissingDataException>());
        Assert.That(() => CoinbaseSource.Parse(json), Throws.TypeOf<MissingDataException>());
        if (text is "null" or "\"x\"") // a list or a ticker without what was asked for is only empty
            Assert.That(() => BinanceSource.Parse(json, ["BTCUSDT"]), Throws.TypeOf<MissingDataException>());
    }

    [TestCase("kPEPE", "PEPEUSDT", 1000), TestCase("kSHIB", "SHIBUSDT", 1000), TestCase("kBONK", "BONKUSDT", 1000), TestCase(
        "kNEIRO", "NEIROUSDT", 1000)]
    [TestCase("KAS", "KASUSDT", 1), TestCase("KAITO", "KAITOUSDT", 1), TestCase("MATIC", "POLUSDT", 1),
        TestCase("RNDR", "RENDERUSDT", 1), TestCase("FTM", "SUSDT", 1)]
    [TestCase("MKR", "SKYUSDT", 24000), TestCase("JELLY", "JELLYJELLYUSDT", 1)]
    public void Names_and_units_follow_the_table(string asset, string symbol, int units)
    {
        var symbols = SymbolTable.ByAsset[asset];
        Assert.That((new BinanceSource(null!).SymbolOf(symbols), symbols.Units), Is.EqualTo((symbol, (decimal)units)));
    }

    [Test]
    public void Assets_with_another_quote_or_no_table_entry_are_held_against_nothing() =>
        Assert.That(SymbolTable.ByAsset.Keys, Has.None.EqualTo("HYPE").And.None.EqualTo("PURR").And.None.Contains(":"));
}
