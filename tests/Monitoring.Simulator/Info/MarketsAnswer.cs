using System.Text.Json.Nodes;
using Monitoring.Simulator.Model;

namespace Monitoring.Simulator.Info;

/// <summary>
/// The answer to metaAndAssetCtxs: the markets, and in the same order what they are at. Unless the scenario
/// says otherwise, each has an open interest and a day's volume of 400 M USD at second 0.
/// </summary>
internal static class MarketsAnswer
{
    private const decimal OpenInterestUsd = 400_000_000;
    private const decimal ThinVolumeUsd = 600_000;

    public static JsonArray Of(Scenario scenario, PriceBook prices, OracleBook oracles, Moment now) =>
    [
        new JsonObject
        {
            ["universe"] = new JsonArray([.. scenario.Prices.Keys.Select(coin => new JsonObject
            {
                ["name"] = coin, ["szDecimals"] = 4, ["maxLeverage"] = Margin.MaxLeverage(coin), ["marginTableId"] = 50,
            })]),
            ["marginTables"] = new JsonArray(),
            ["collateralToken"] = 0,
        },
        new JsonArray([.. scenario.Prices.Keys.Select(coin => ContextOf(scenario, prices, oracles, coin, now))]),
    ];

    /// <summary>What one coin is at.</summary>
    public static JsonObject ContextOf(Scenario scenario, PriceBook prices, OracleBook oracles, string coin, Moment now) =>
        Context(scenario.Prices[coin], prices[coin].At(now.Seconds), oracles.At(coin, now.Seconds),
            scenario.Markets.GetValueOrDefault(coin)?.DayVolumeUsd ?? (oracles.IsThin(coin) ? ThinVolumeUsd : OpenInterestUsd),
            scenario.Markets.GetValueOrDefault(coin)?.OpenInterestUsd ?? OpenInterestUsd);

    private static JsonObject Context(decimal first, decimal price, decimal oracle, decimal volume, decimal openInterest) => new()
    {
        ["funding"] = "0.0000125",
        ["openInterest"] = WireNumber.Text(openInterest / first),
        ["prevDayPx"] = WireNumber.Text(first),
        ["dayNtlVlm"] = WireNumber.Text(volume),
        ["dayBaseVlm"] = WireNumber.Text(volume / first),
        ["premium"] = "0.0",
        ["oraclePx"] = WireNumber.Text(oracle),
        ["markPx"] = WireNumber.Text(price),
        ["midPx"] = WireNumber.Text(price),
        ["impactPxs"] = new JsonArray(WireNumber.Text(price * 0.9999m), WireNumber.Text(price * 1.0001m)),
    };
}
