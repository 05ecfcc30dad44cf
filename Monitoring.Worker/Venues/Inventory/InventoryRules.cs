using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>
/// An open position, and its share of HLP's equity at the check before: 0 when it was not held then, null when that is not known.
/// </summary>
internal sealed record InventoryStep(HlpVaultPosition Position, decimal? EarlierSharePct)
{
    /// <summary>By how many points of HLP's equity the position grew.</summary>
    public decimal? JumpPoints => Position.SharePct - EarlierSharePct;
}

/// <summary>The rule of the monitor <c>inventory</c>: what a component vault holds of one coin, against the equity of the whole.</summary>
internal static class InventoryRules
{
    /// <summary>At most one finding per component and coin.</summary>
    public static IReadOnlyList<Finding> Evaluate(IReadOnlyList<InventoryStep> steps, decimal equity, InventoryThresholds thresholds) =>
        [.. steps.Select(step => FindConcentration(step, equity, thresholds)).OfType<Finding>()];

    /// <summary>Every fingerprint: where it is not known which components there are, or what they are a share of.</summary>
    public static readonly IReadOnlyList<string> UnjudgedOfAll = [InventoryRuleSet.Inventory.FingerprintOf("*")];

    /// <summary>The fingerprints that cannot be judged: of positions that could not be read, and of shares without a base.</summary>
    public static IReadOnlyList<string> Unjudged(IEnumerable<EventSubject> unread, IEnumerable<InventoryStep> steps) =>
    [
        .. unread.Select(position => InventoryRuleSet.Inventory.FingerprintOf(position.Text)),
        .. steps.Where(step => step.Position.SharePct is null)
            .Select(step => InventoryRuleSet.Inventory.FingerprintOf(SubjectOf(step.Position.VaultAddress, step.Position.Coin).Text)),
    ];

    /// <summary>What an event of this monitor is about.</summary>
    public static EventSubject SubjectOf(string component, string coin) => new("position", coin, Account: component);

    private static Finding? FindConcentration(InventoryStep step, decimal equity, InventoryThresholds limits)
    {
        var position = step.Position;
        if (position.SharePct is not { } share || Judge(share, step.JumpPoints, limits) is not { } severity)
            return null;

        var evidence = new Evidence(
            new JsonObject
            {
                ["coin"] = position.Coin, ["size"] = position.Size, ["notional_usd"] = position.NotionalUsd,
                ["unrealized_pnl_usd"] = position.UnrealizedPnl, ["equity_usd"] = equity, ["share_pct"] = share,
                ["earlier_share_pct"] = step.EarlierSharePct, ["jump_points"] = step.JumpPoints,
                ["open_interest_pct"] = position.OpenInterestPct,
            },
            new JsonObject
            {
                ["medium_pct"] = limits.MediumPct, ["high_pct"] = limits.HighPct, ["critical_pct"] = limits.CriticalPct,
                ["jump_points"] = limits.JumpPoints,
            },
            [
                $"share = 100 * {position.NotionalUsd:0.00} / {equity:0.00} = {share} %: {Compare(share, limits)}",
                step.JumpPoints is { } jump
                    ? $"jump = {share} - {step.EarlierSharePct} = {jump} points "
                        + (jump >= limits.JumpPoints ? $">= {limits.JumpPoints}: at least high" : $"< {limits.JumpPoints}")
                    : "jump: not known, no earlier check to compare with",
            ]);
        return InventoryRuleSet.Inventory.Find(severity, SubjectOf(position.VaultAddress, position.Coin),
            $"HLP component {position.VaultAddress[..6]}…{position.VaultAddress[^4..]} holds {position.NotionalUsd / 1_000_000:0.00} "
            + $"M USD of {position.Coin} {(position.Size < 0 ? "short" : "long")}, {share:0.0} % of HLP's equity",
            $"The component vault {position.VaultAddress} holds {position.Size} {position.Coin} with an unrealised PnL of "
            + $"{position.UnrealizedPnl:0.00} USD"
            + (position.OpenInterestPct is { } part ? $", {part:0.0} % of the coin's open interest." : "."),
            evidence, [position.VaultAddress], position.UnrealizedPnl < 0 ? -position.UnrealizedPnl : null);
    }

    private static Severity? Judge(decimal share, decimal? jump, InventoryThresholds limits) =>
        share >= limits.CriticalPct ? Severity.Critical
        : share >= limits.HighPct || jump >= limits.JumpPoints ? Severity.High
        : share >= limits.MediumPct ? Severity.Medium
        : null;

    private static string Compare(decimal share, InventoryThresholds limits) =>
        share >= limits.CriticalPct ? $">= {limits.CriticalPct}: critical"
        : share >= limits.HighPct ? $">= {limits.HighPct}: high"
        : share >= limits.MediumPct ? $">= {limits.MediumPct}: medium"
        : $"< {limits.MediumPct}";
}
