using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;
using Monitoring.Worker.Venues.Hyperliquid;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>The rule of the whole market: one event for what goes through many coins at once.</summary>
internal static class MarketWideRule
{
    // The names of more would not fit into a message; the evidence has them all.
    private const int MostNamed = 40;

    /// <summary>
    /// One finding, of the run of most coins, or none. It covers the coins of all runs: what they raise in the same check is
    /// part of it.
    /// </summary>
    public static IReadOnlyList<Finding> Evaluate(
        IReadOnlyList<MarketRun> runs, Func<DateTimeOffset, DateTimeOffset, VaultGain?> findGain, LiquidationThresholds limits) =>
        runs.Count == 0 ? []
            : [Find(runs.OrderBy(run => run.Coins.Count).ThenBy(run => run.EndTime).Last(), findGain, limits) with
            {
                Covers = [.. runs.SelectMany(run => run.Coins).Select(coin => LiquidationRules.SubjectOfCoin(coin.Coin).Text)
                    .Distinct().Order(StringComparer.Ordinal)],
            }];

    private static Finding Find(
        MarketRun run, Func<DateTimeOffset, DateTimeOffset, VaultGain?> findGain, LiquidationThresholds limits)
    {
        var (forced, forcedUsd) = SumOf(run, LiquidationPatternType.Cascade);
        var (deleveraged, deleveragedUsd) = SumOf(run, LiquidationPatternType.Adl);
        var gain = findGain(run.StartTime, run.EndTime);
        var gaps = run.Patterns
            .SelectMany(pattern => PatternGaps.Lines(JsonNode.Parse(pattern.Indicators)!.AsObject())).Distinct().ToList();
        var values = new JsonObject
        {
            ["coin_count"] = run.Coins.Count,
            ["coins"] = new JsonArray([.. run.Coins.Select(coin => ToValue(run, coin.Coin, coin.Usd))]),
            ["total_usd"] = forcedUsd + deleveragedUsd, ["cascade_usd"] = forcedUsd, ["deleveraged_usd"] = deleveragedUsd,
            ["liquidation_count"] = run.Patterns.Sum(pattern => pattern.LiquidationCount),
            ["start_time"] = LiquidationRules.Utc(run.StartTime), ["end_time"] = LiquidationRules.Utc(run.EndTime),
            ["vault_pnl_usd"] = gain?.Usd,
            ["vault_pnl_from"] = gain is null ? null : LiquidationRules.Utc(gain.From),
            ["vault_pnl_to"] = gain is null ? null : LiquidationRules.Utc(gain.To),
            ["pattern_ids"] = new JsonArray([.. run.Patterns.Select(pattern => JsonValue.Create(pattern.PatternId))]),
        };
        var thresholds = new JsonObject
        {
            ["coins"] = limits.MarketWideCoins, ["window_seconds"] = limits.MarketWideWindow.TotalSeconds,
            ["event_score"] = limits.EventScore,
        };
        return LiquidationRuleSet.MarketWide.Find(Severity.Critical, new EventSubject("venue", HyperliquidClient.Name),
            $"{run.Coins.Count} coins in cascade or deleveraging at once, {LiquidationRules.Millions(forcedUsd + deleveragedUsd)} USD; "
            + ShortOf(gain),
            $"From {run.StartTime:yyyy-MM-dd HH:mm:ss}Z to {run.EndTime:HH:mm:ss}Z {forcedUsd:0.00} USD were liquidated in cascades of "
            + $"{forced} coins and {deleveragedUsd:0.00} USD auto-deleveraged in {deleveraged}: {Names(run)}. {LongOf(gain)} "
            + $"{(gaps.Count > 0 ? LiquidationRules.Incomplete : "")}{LiquidationRules.Coverage}",
            new Evidence(values, thresholds,
            [
                $"{run.Coins.Count} coins were in cascade or deleveraging, at least {limits.MarketWideCoins} within one window of "
                    + $"{limits.MarketWideWindow.TotalSeconds:0} s: critical",
                gain is null ? "vault: not known, its PnL from before or since is missing"
                    : $"vault: PnL of {LiquidationRules.Utc(gain.To)} less that of {LiquidationRules.Utc(gain.From)} = "
                        + $"{gain.Usd:+0.00;-0.00;0.00} USD",
                .. gaps,
            ]), estimatedLossUsd: gain is { Usd: < 0 } ? -gain.Usd : null);
    }

    private static (int Coins, decimal Usd) SumOf(MarketRun run, LiquidationPatternType type)
    {
        var theirs = run.Patterns.Where(pattern => pattern.PatternType == type).ToList();
        return (theirs.Select(pattern => pattern.Subject).Distinct().Count(), theirs.Sum(pattern => pattern.TotalLiquidatedUsd));
    }

    private static JsonObject ToValue(MarketRun run, string coin, decimal usd)
    {
        var types = run.Patterns.Where(pattern => pattern.Subject == coin).Select(pattern => pattern.PatternType).ToList();
        return new JsonObject
        {
            ["coin"] = coin, ["usd"] = usd, ["cascade"] = types.Contains(LiquidationPatternType.Cascade),
            ["deleveraging"] = types.Contains(LiquidationPatternType.Adl),
        };
    }

    private static string Names(MarketRun run) =>
        string.Join(", ", run.Coins.Take(MostNamed).Select(coin => $"{coin.Coin} {LiquidationRules.Millions(coin.Usd)}"))
        + (run.Coins.Count > MostNamed ? $" and {run.Coins.Count - MostNamed} more" : "");

    private static string ShortOf(VaultGain? gain) => gain is null ? "what the HLP vault gains or loses is not known"
        : IsNothing(gain) ? "the HLP vault's PnL has not moved so far"
        : $"the HLP vault {(gain.Usd < 0 ? "loses" : "gains")} {LiquidationRules.Millions(Math.Abs(gain.Usd))} USD so far";

    private static string LongOf(VaultGain? gain) => gain is null
        ? "What the HLP vault gains or loses by it is not known: its PnL from before or since is missing."
        : (IsNothing(gain) ? "The HLP vault's PnL did not move"
            : $"The HLP vault {(gain.Usd < 0 ? "lost" : "gained")} {Math.Abs(gain.Usd):0.00} USD")
            + $" from {gain.From:HH:mm:ss}Z to {gain.To:HH:mm:ss}Z, by all that it does.";

    private static bool IsNothing(VaultGain gain) => Math.Abs(gain.Usd) < 1;
}
