using System.Text.Json.Nodes;
using Monitoring.Simulator.Info;

namespace Monitoring.Simulator.References;

/// <summary>The sources' answers in their own shapes.</summary>
internal static class ReferenceAnswers
{
    private const int PythExponent = -10;

    // Kraken answers old pairs under older names than it is asked for.
    private static readonly Dictionary<string, string> KrakenKeys = new(StringComparer.Ordinal)
    {
        ["XBTUSD"] = "XXBTZUSD", ["ETHUSD"] = "XETHZUSD", ["XRPUSD"] = "XXRPZUSD", ["LTCUSD"] = "XLTCZUSD", ["USDTUSD"] = "USDTZUSD",
    };

    private static readonly Dictionary<string, string> PythFeeds = new(StringComparer.Ordinal)
    {
        ["e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"] = "BTC",
        ["ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace"] = "ETH",
        ["ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d"] = "SOL",
        ["d69731a2e74ac1ce884fc3890f7ee324b6deb66147055249568869ed700882e4"] = "PEPE",
        ["2b89b9dc8fdf9f34709a5b106b472f0f39bb6ca9ce04b0fd7f2e971688e2e53b"] = "USDT",
    };

    public static JsonArray Binance(ReferenceMarket market) => [.. market.CoinByTicker.Keys.Select(ticker =>
    {
        var (bid, ask) = ReferenceMarket.Book(market.InUsdt(ReferenceSources.Binance, ticker));
        return new JsonObject
        {
            ["symbol"] = $"{ticker}USDT", ["bidPrice"] = WireNumber.Text(bid), ["bidQty"] = "1.0",
            ["askPrice"] = WireNumber.Text(ask), ["askQty"] = "1.0",
        };
    })];

    public static JsonObject Okx(ReferenceMarket market) => new()
    {
        ["code"] = "0", ["msg"] = "",
        ["data"] = new JsonArray([.. market.CoinByTicker.Keys.Select(ticker =>
        {
            var price = market.InUsdt(ReferenceSources.Okx, ticker);
            var (bid, ask) = ReferenceMarket.Book(price);
            return new JsonObject
            {
                ["instType"] = "SPOT", ["instId"] = $"{ticker}-USDT", ["last"] = WireNumber.Text(price),
                ["bidPx"] = WireNumber.Text(bid), ["askPx"] = WireNumber.Text(ask), ["ts"] = $"{market.UnixMilliseconds}",
            };
        })]),
    };

    public static JsonObject? Coinbase(ReferenceMarket market, string pair)
    {
        var ticker = pair.EndsWith("-USD", StringComparison.Ordinal) ? pair[..^4] : "";
        if (ticker != "USDT" && !market.CoinByTicker.ContainsKey(ticker))
            return null;
        var price = market.InUsd(ReferenceSources.Coinbase, ticker);
        var (bid, ask) = ReferenceMarket.Book(price);
        return new()
        {
            ["ask"] = WireNumber.Text(ask), ["bid"] = WireNumber.Text(bid), ["price"] = WireNumber.Text(price),
            ["size"] = "0.1", ["volume"] = "1000.0", ["trade_id"] = 1,
            ["time"] = DateTimeOffset.FromUnixTimeMilliseconds(market.UnixMilliseconds).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ"),
        };
    }

    /// <summary>The pairs that are asked for, of which one that it does not know spoils all; every pair where none is named.</summary>
    public static JsonObject Kraken(ReferenceMarket market, string[] pairs)
    {
        var result = new JsonObject();
        foreach (var pair in pairs is [""] ? market.CoinByTicker.Keys.Append("USDT").Select(KrakenPair) : pairs)
        {
            var ticker = pair.EndsWith("USD", StringComparison.Ordinal) ? pair[..^3] : "";
            ticker = ticker switch { "XBT" => "BTC", "XDG" => "DOGE", _ => ticker };
            if (ticker != "USDT" && !market.CoinByTicker.ContainsKey(ticker))
                return new() { ["error"] = new JsonArray("EQuery:Unknown asset pair") };
            var price = market.InUsd(ReferenceSources.Kraken, ticker);
            var (bid, ask) = ReferenceMarket.Book(price);
            result[KrakenKeys.GetValueOrDefault(pair, pair)] = new JsonObject
            {
                ["a"] = new JsonArray(WireNumber.Text(ask), "1", "1.000"), ["b"] = new JsonArray(WireNumber.Text(bid), "1", "1.000"),
                ["c"] = new JsonArray(WireNumber.Text(price), "0.1"),
            };
        }

        return new() { ["error"] = new JsonArray(), ["result"] = result };
    }

    private static string KrakenPair(string ticker) => $"{ticker switch { "BTC" => "XBT", "DOGE" => "XDG", _ => ticker }}USD";

    public static JsonObject Pyth(ReferenceMarket market, string[] ids) => new()
    {
        ["parsed"] = new JsonArray([.. ids
            .Where(id => PythFeeds.TryGetValue(id, out var ticker) && (ticker == "USDT" || market.CoinByTicker.ContainsKey(ticker)))
            .Select(id =>
            {
                var price = decimal.Truncate(market.InUsd(ReferenceSources.Pyth, PythFeeds[id]) * 10_000_000_000);
                return new JsonObject
                {
                    ["id"] = id,
                    ["price"] = new JsonObject
                    {
                        ["price"] = $"{price:0}", ["conf"] = $"{decimal.Truncate(price / 2000):0}",
                        ["expo"] = PythExponent, ["publish_time"] = market.UnixSeconds,
                    },
                };
            })]),
    };
}
