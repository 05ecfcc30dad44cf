using System.Text.Json.Nodes;
using Monitoring.Tests.Venues.Mutations;

namespace Monitoring.Tests.Venues;

/// <summary>The recorded answers as one moment of one venue: their times are moved there, what no recording has is in its shape.</summary>
internal static partial class RecordedAnswers
{
    private const string Btc = "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43";
    private const string Eth = "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace";
    private const string Sol = "ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d";
    private const string Usdt = "2b89b9dc8fdf9f34709a5b106b472f0f39bb6ca9ce04b0fd7f2e971688e2e53b";

    /// <summary>The markets of <see cref="Markets"/>, in order; the last is delisted.</summary>
    public static readonly string[] Coins = ["BTC", "ETH", "SOL", "HYPE", "MATIC"];

    /// <summary>When the recorded portfolio was live.</summary>
    public static DateTimeOffset PortfolioAt => StrategyB.At;

    /// <summary>Every question and its answer.</summary>
    public static IEnumerable<(string Key, string Text)> Canned(DateTimeOffset now) =>
    [
        ("vaultDetails", Vault()), ("metaAndAssetCtxs", Markets()),
        ($"clearinghouseState {CannedVenue.Whale}", Text("hl_clearinghouse_whale_2026-07.json")),
        ($"clearinghouseState {CannedVenue.Small}", Text("hl_clearinghouse_small_2026-07.json")),
        ($"userFillsByTime {CannedVenue.Whale}", Fills(now)), ($"userFillsByTime {CannedVenue.Small}", "[]"),
        ($"userNonFundingLedgerUpdates {CannedVenue.Whale}", Text("hl_userNonFundingLedgerUpdates_0x2ba5_2025-08-30.json")),
        ("/api/v3/ticker/bookTicker", Binance()), ("/api/v5/market/tickers", Okx(now)), ("/0/public/Ticker", Kraken),
        ("/v2/updates/price/latest", Pyth(now)), ("/products/BTC-USD/ticker", Coinbase("99990", "100010")),
        ("/products/ETH-USD/ticker", Coinbase("2509.71", "2509.72")), ("/products/SOL-USD/ticker", Coinbase("149.9", "150.1")),
        ("/products/USDT-USD/ticker", Coinbase("0.9999", "1.0001")),
    ];

    private static string Vault() => new JsonObject
    {
        ["name"] = "Hyperliquidity Provider (HLP)", ["vaultAddress"] = Sample.Vault, ["leader"] = CannedVenue.Whale, ["apr"] = 0.1,
        ["portfolio"] = JsonNode.Parse(Text("hl_portfolio_HLP-StrategyB_2025-08-22.json")), ["isClosed"] = false,
        ["relationship"] = new JsonObject
        {
            ["type"] = "parent", ["data"] = new JsonObject { ["childAddresses"] = new JsonArray(CannedVenue.Whale, CannedVenue.Small) },
        },
    }.ToJsonString();

    private static string Markets()
    {
        static JsonObject Context(string oracle, string volume) => new()
        {
            ["funding"] = "0.0000125", ["openInterest"] = "31000.5", ["prevDayPx"] = oracle, ["dayNtlVlm"] = volume, ["premium"] = "0.0001",
            ["oraclePx"] = oracle, ["markPx"] = oracle, ["midPx"] = oracle, ["impactPxs"] = new JsonArray(oracle, oracle),
            ["dayBaseVlm"] = "1000.0",
        };
        return new JsonArray(
            new JsonObject
            {
                ["universe"] = new JsonArray([.. Coins.Select(coin => new JsonObject
                {
                    ["name"] = coin, ["szDecimals"] = 4, ["maxLeverage"] = 10, ["marginTableId"] = 50, ["isDelisted"] = coin == "MATIC",
                })]),
                ["marginTables"] = new JsonArray(), ["collateralToken"] = 0,
            },
            new JsonArray(Context("102000.0", "2354076638.5"), Context("2509.7", "1131373139.2"), Context("150.0", "500000000.1"),
                Context("41.5", "300000000.0"), Context("0.3754", "0.0"))).ToJsonString();
    }

    // Recorded trades, and after them liquidations in the shape of newer answers.
    private static string Fills(DateTimeOffset now)
    {
        var start = now.AddMinutes(-10).ToUnixTimeMilliseconds();
        var fills = JsonNode.Parse(Text("hl_userFills_0xb7b6_2023-07-17.json"))!.AsArray().Take(20)
            .Select(fill => fill!.DeepClone()).ToList();
        fills.AddRange(Enumerable.Range(0, 8).Select(i => (JsonNode)new JsonObject
        {
            ["coin"] = i < 6 ? "ETH" : "SOL", ["px"] = $"{2500 - i}.5", ["sz"] = "60.25", ["side"] = "B", ["startPosition"] = "0.0",
            ["dir"] = i < 7 ? "Close Short" : "Auto-Deleveraging", ["closedPnl"] = "0.0", ["hash"] = $"0x{i + 1:x64}", ["oid"] = 100 + i,
            ["crossed"] = false, ["fee"] = "0.0", ["tid"] = 9000 + i, ["feeToken"] = "USDC",
            ["liquidation"] = new JsonObject
            {
                ["liquidatedUser"] = $"0x{i % 3:x40}", ["markPx"] = "2500.0", ["method"] = i < 7 ? "market" : "backstop",
            },
        }));
        foreach (var (index, fill) in fills.Index())
            fill["time"] = start + (index * 1000);
        return new JsonArray([.. fills]).ToJsonString();
    }

    private static string Binance() => new JsonArray(
    [
        .. JsonNode.Parse(Text("binance_spot_ticker24hr_BTC_ETH_2024-11-01.json"))!.AsArray().Skip(1)
            .Select(ticker => ticker!.DeepClone()),
        Book("BTCUSDT", "99995.0", "100005.0"), Book("SOLUSDT", "149.95", "150.05"), Book("XYZUSDT", "", ""),
    ]).ToJsonString();

    private static JsonObject Book(string symbol, string bid, string ask) => new()
    {
        ["symbol"] = symbol, ["bidPrice"] = bid, ["bidQty"] = "1.0", ["askPrice"] = ask, ["askQty"] = "1.0",
    };

    private static string Okx(DateTimeOffset now)
    {
        JsonObject Ticker(string name, string bid, string ask) => new()
        {
            ["instType"] = "SPOT", ["instId"] = name, ["last"] = bid, ["bidPx"] = bid, ["askPx"] = ask,
            ["ts"] = $"{now.ToUnixTimeMilliseconds()}",
        };
        return new JsonObject
        {
            ["code"] = "0", ["msg"] = "",
            ["data"] = new JsonArray(Ticker("BTC-USDT", "99990", "100010"), Ticker("ETH-USDT", "2509.6", "2509.8"),
                Ticker("SOL-USDT", "149.9", "150.1"), Ticker("NEW-USDT", "", "")),
        }.ToJsonString();
    }

    private const string Kraken = """
        {"error":[],"result":{"XXBTZUSD":{"a":["100010.0","1","1.000"],"b":["99990.0","2","2.000"],"c":["100000.0","0.1"]},
        "XETHZUSD":{"a":["2509.9","1","1"],"b":["2509.5","1","1"]},"SOLUSD":{"a":["150.1","1","1"],"b":["149.9","1","1"]},
        "USDTZUSD":{"a":["1.0001","1","1"],"b":["0.9999","1","1"]}}}
        """;

    private static string Pyth(DateTimeOffset now)
    {
        JsonObject Feed(string id, string price, string confidence) => new()
        {
            ["id"] = id, ["ema_price"] = new JsonObject(), ["metadata"] = new JsonObject(),
            ["price"] = new JsonObject
            {
                ["price"] = price, ["conf"] = confidence, ["expo"] = -8, ["publish_time"] = now.ToUnixTimeSeconds(),
            },
        };
        return new JsonObject
        {
            ["binary"] = new JsonObject { ["encoding"] = "hex", ["data"] = new JsonArray("00") },
            ["parsed"] = new JsonArray(Feed(Btc, "10000000000000", "3000000000"), Feed(Eth, "250970000000", "50000000"),
                Feed(Sol, "15000000000", "5000000"), Feed(Usdt, "100000000", "10000")),
        }.ToJsonString();
    }

    private static string Coinbase(string bid, string ask) => new JsonObject
    {
        ["ask"] = ask, ["bid"] = bid, ["volume"] = "9000.1", ["trade_id"] = 1, ["price"] = bid, ["size"] = "0.01",
        ["time"] = "2025-08-22T12:00:00.123456Z",
    }.ToJsonString();
}
