using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Rules;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Liquidations;

/// <summary>
/// The rules of the monitor <c>liquidations</c>: pure functions of the patterns that were found. docs/rules.md says what each one means.
/// </summary>
internal static class LiquidationRules
{
    public const string Coverage = "Seen through the fills of the HLP vaults and of the watched accounts: backstop liquidations and "
        + "deleveraging against the HLP vaults are complete, of market liquidations only those in which such an "
        + "account took part are known.";

    public const string Incomplete = "Incomplete: not all fills of this time could be had from the venue, so there was more than this. ";

    /// <summary>
    /// One finding per kind and coin (or account), made from the worst and most suspicious of its patterns; none of a pattern that is
    /// no event.
    /// </summary>
    public static IReadOnlyList<Finding> Evaluate(IEnumerable<LiquidationPattern> patterns, LiquidationThresholds limits) =>
        [.. patterns.Select(pattern => (Pattern: pattern, Severity: SeverityOf(pattern, limits)))
            .Where(judged => judged.Severity is not null)
            .GroupBy(judged => (judged.Pattern.PatternType, judged.Pattern.Subject))
            .Select(same => same.OrderByDescending(judged => judged.Severity).ThenByDescending(judged => judged.Pattern.SuspicionScore)
                .ThenByDescending(judged => judged.Pattern.EndTime).First())
            .OrderBy(judged => judged.Pattern.PatternType).ThenBy(judged => judged.Pattern.Subject, StringComparer.Ordinal)
            .Select(judged => Find(judged.Pattern, judged.Severity!.Value, limits))];

    /// <summary>
    /// How bad a pattern is; null when it is no event: below the score that makes one, save deleveraging and what is an attack by its
    /// share of the coin's volume.
    /// </summary>
    public static Severity? SeverityOf(LiquidationPattern pattern, LiquidationThresholds limits) => pattern.PatternType switch
    {
        LiquidationPatternType.Adl => Severity.High,
        LiquidationPatternType.FlashLoan when VolumeShares.Of(pattern) >= limits.FlashLoanVolumePct => Severity.Critical,
        _ when pattern.SuspicionScore < limits.EventScore => null,
        LiquidationPatternType.Cascade => Severity.High,
        _ => Severity.Medium,
    };

    /// <summary>What an event of a coin is about.</summary>
    public static EventSubject SubjectOfCoin(string coin) => new("coin", coin);

    /// <summary>The rule that judges patterns of a type.</summary>
    public static Rule RuleOf(LiquidationPatternType type) => type switch
    {
        LiquidationPatternType.FlashLoan => LiquidationRuleSet.FlashLoan,
        LiquidationPatternType.Cascade => LiquidationRuleSet.Cascade,
        LiquidationPatternType.Coordinated => LiquidationRuleSet.Coordinated,
        LiquidationPatternType.Manipulation => LiquidationRuleSet.Manipulation,
        _ => LiquidationRuleSet.Deleveraging,
    };

    private static Finding Find(LiquidationPattern pattern, Severity severity, LiquidationThresholds limits)
    {
        var indicators = JsonNode.Parse(pattern.Indicators)!.AsObject();
        var (title, thresholds, arithmetic) = Explain(pattern, indicators, limits);
        decimal? threshold = pattern.PatternType switch
        {
            LiquidationPatternType.FlashLoan => severity == Severity.Critical
                ? Math.Max(limits.FlashLoanUsd, Number(indicators, VolumeShares.Volume) * limits.FlashLoanVolumePct / 100)
                : limits.FlashLoanUsd,
            LiquidationPatternType.Coordinated => limits.CoordinatedUsd,
            LiquidationPatternType.Manipulation => Math.Sign(pattern.PriceImpact) * limits.ManipulationImpactPct,
            _ => null, // asks for accounts, not for an amount
        };
        var values = new JsonObject
        {
            ["pattern_id"] = pattern.PatternId, ["suspicion_score"] = pattern.SuspicionScore,
            ["total_liquidated_usd"] = pattern.TotalLiquidatedUsd, ["liquidation_count"] = pattern.LiquidationCount,
            ["affected_users"] = pattern.AffectedUsers, ["duration_seconds"] = pattern.DurationSeconds,
            ["price_impact_pct"] = pattern.PriceImpact, ["start_time"] = Utc(pattern.StartTime), ["end_time"] = Utc(pattern.EndTime),
        };
        foreach (var (name, value) in indicators)
            values[name] = value?.DeepClone();
        if (pattern.PatternType != LiquidationPatternType.Adl)
        {
            thresholds["event_score"] = limits.EventScore;
            arithmetic = [.. arithmetic, pattern.SuspicionScore >= limits.EventScore
                ? $"suspicion score {pattern.SuspicionScore} >= {limits.EventScore}: an event"
                : $"suspicion score {pattern.SuspicionScore} < {limits.EventScore}: an event by its share alone"];
        }

        var gaps = PatternGaps.Lines(indicators).ToList();
        var accounts = indicators["largest_accounts"]?.AsArray()
            .Select(account => (string)account!)
            .Where(account => account.StartsWith("0x", StringComparison.Ordinal)) ?? [];
        return RuleOf(pattern.PatternType).Find(severity,
            pattern.PatternType == LiquidationPatternType.Coordinated ? new EventSubject("account", pattern.Subject)
                : SubjectOfCoin(pattern.Subject), title,
            $"{pattern.LiquidationCount} liquidations of {pattern.AffectedUsers} accounts, {pattern.TotalLiquidatedUsd:0.00} USD, "
            + $"from {pattern.StartTime:yyyy-MM-dd HH:mm:ss}Z to {pattern.EndTime:HH:mm:ss}Z in "
            + $"{string.Join(", ", pattern.AssetsInvolved.Take(10))}. {(gaps.Count > 0 ? Incomplete : "")}{Coverage}",
            new Evidence(values, thresholds, [.. arithmetic, .. gaps]), [.. accounts], // without a loss: what was liquidated is a size
            threshold: threshold);
    }

    private static (string Title, JsonObject Thresholds, IReadOnlyList<string> Arithmetic) Explain(
        LiquidationPattern pattern, JsonObject indicators, LiquidationThresholds limits) => pattern.PatternType switch
    {
        LiquidationPatternType.FlashLoan => (
            $"{pattern.Subject}: {Millions(Number(indicators, "peak_usd"))} USD liquidated within "
            + $"{limits.FlashLoanWindow.TotalSeconds:0} s, {VolumeShares.Describe(indicators)}",
            new JsonObject
            {
                ["usd"] = limits.FlashLoanUsd, ["window_seconds"] = limits.FlashLoanWindow.TotalSeconds,
                ["volume_pct"] = limits.FlashLoanVolumePct,
            },
            [
                $"most within {limits.FlashLoanWindow.TotalSeconds:0} s = {Number(indicators, "peak_usd"):0.00} USD >= "
                    + $"{limits.FlashLoanUsd} USD",
                VolumeShares.Line(indicators, limits),
                "score = amount (> 5 M: 50; > 2 M: 40; > 1 M: 30; else 20 * USD / 500000) + "
                    + $"{(Number(indicators, "largest_usd") > 2_000_000 ? "30 for one above 2 M" : "0, none above 2 M")} + 20 "
                    + $"= {pattern.SuspicionScore}",
            ]),
        LiquidationPatternType.Cascade => (
            $"{pattern.Subject}: cascade of {pattern.LiquidationCount} liquidations {(string?)indicators["direction"]}wards, "
            + $"{Millions(pattern.TotalLiquidatedUsd)} USD, price {pattern.PriceImpact:+0.00;-0.00} %",
            new JsonObject
            {
                ["victims"] = limits.CascadeVictims, ["window_seconds"] = limits.CascadeWindow.TotalSeconds,
                ["direction_pct"] = limits.CascadeDirectionPct,
            },
            [
                $"{pattern.AffectedUsers} accounts, {Number(indicators, "steps_up"):0} price steps up and "
                    + $"{Number(indicators, "steps_down"):0} down",
                $"score = min(30, 3 * {pattern.LiquidationCount}) + min(40, 40 * {pattern.TotalLiquidatedUsd:0.00} / 5000000) + min(30, "
                    + $"30 * {Math.Abs(pattern.PriceImpact):0.####} / 5) = {pattern.SuspicionScore}",
            ]),
        LiquidationPatternType.Coordinated => (
            $"{(indicators["funder"] is null ? "One account was" : $"{pattern.AffectedUsers} accounts funded together were")} liquidated "
            + $"{pattern.LiquidationCount} times for {Millions(pattern.TotalLiquidatedUsd)} USD",
            new JsonObject
            {
                ["times"] = limits.CoordinatedTimes, ["usd"] = limits.CoordinatedUsd,
                ["funded_within_seconds"] = limits.FundedWithin.TotalSeconds,
            },
            [.. FundingLine(indicators, limits), $"score = min(50, 10 * {pattern.LiquidationCount}) + min(50, "
                + $"50 * {pattern.TotalLiquidatedUsd:0.00} / 3000000) = {pattern.SuspicionScore}"]),
        LiquidationPatternType.Manipulation => (
            $"{pattern.Subject}: price moved {pattern.PriceImpact:+0.00;-0.00} % under liquidations and came back by "
            + $"{Number(indicators, "recovered_pct"):0} %",
            new JsonObject
            {
                ["impact_pct"] = limits.ManipulationImpactPct, ["recovery_pct"] = limits.ManipulationRecoveryPct,
                ["window_seconds"] = limits.ManipulationWindow.TotalSeconds,
            },
            [$"score = min(50, 50 * {Math.Abs(pattern.PriceImpact):0.####} / 4) + min(50, 50 * {Number(indicators, "recovered_pct"):0.##} "
                + $"/ 100) = {pattern.SuspicionScore}"]),
        _ => (
            $"{pattern.Subject}: {Millions(pattern.TotalLiquidatedUsd)} USD auto-deleveraged in {Number(indicators, "fills"):0} fills",
            new JsonObject(), ["auto-deleveraging was seen: high"]),
    };

    private static IEnumerable<string> FundingLine(JsonObject indicators, LiquidationThresholds limits) =>
        indicators["funder"] is not { } funder ? [] :
            [
                $"{funder} was the first to send each of them money, from {indicators["first_funded_at"]} to "
                + $"{indicators["last_funded_at"]}, each within {limits.FundedWithin.TotalSeconds:0} s of the one before; "
                + "money from outside the venue has no sender in its ledger, so others may belong to them unseen",
            ];

    private static decimal Number(JsonObject indicators, string name) =>
        indicators[name] is JsonValue value && value.TryGetValue<decimal>(out var number) ? number : 0;

    /// <summary>A moment as evidence gives it.</summary>
    public static string Utc(DateTimeOffset at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.FFF'Z'");

    /// <summary>An amount as titles give it.</summary>
    public static string Millions(decimal usd) => usd >= 1_000_000 ? $"{usd / 1_000_000:0.00} M" : $"{usd:0}";
}
