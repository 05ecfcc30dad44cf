using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>The rule <c>hlp.takeover</c>: a component vault holds what it did not hold within the hour before.</summary>
internal static class TakeoverRules
{
    private static readonly decimal HoldShare = InventoryRuleSet.HoldShare.Default;

    /// <summary>At most one finding per component and coin; one that only holds keeps an open event open.</summary>
    public static IReadOnlyList<Finding> Evaluate(IReadOnlyList<InventoryStep> steps, decimal equity, TakeoverThresholds thresholds) =>
        [.. steps.Select(step => FindTakeover(step, equity, thresholds)).OfType<Finding>()];

    /// <summary>
    /// The fingerprints that cannot be judged: positions that could not be read, shares without a base, and positions whose past
    /// is not known far enough back.
    /// </summary>
    public static IReadOnlyList<string> Unjudged(
        IEnumerable<EventSubject> unread, IEnumerable<InventoryStep> steps, TakeoverThresholds thresholds) =>
    [
        .. unread.Select(Fingerprint),
        .. steps.Where(step => step.Position.SharePct is not { } share
            || (share >= thresholds.MediumPct && step.Past is { Low: null, IsWhole: false }))
            .Select(step => Fingerprint(InventoryRules.SubjectOf(step.Position.VaultAddress, step.Position.Coin))),
    ];

    private static string Fingerprint(EventSubject position) => InventoryRuleSet.Takeover.FingerprintOf(position.Text);

    private static Finding? FindTakeover(InventoryStep step, decimal equity, TakeoverThresholds limits)
    {
        var position = step.Position;
        if (position.SharePct is not { } share || share < HoldShare * limits.MediumPct)
            return null;
        Severity? severity = step.Past.Low is null || share < limits.MediumPct ? null
            : share >= limits.HighPct ? Severity.High
            : Severity.Medium;
        var since = step.Past.Low is { } low ? Span(position.ObservedAt - low.At) : null;
        var evidence = new Evidence(
            new JsonObject
            {
                ["coin"] = position.Coin, ["size"] = position.Size, ["notional_usd"] = position.NotionalUsd,
                ["unrealized_pnl_usd"] = position.UnrealizedPnl, ["equity_usd"] = equity, ["share_pct"] = share,
                ["low_share_pct"] = step.Past.Low?.SharePct, ["low_at"] = step.Past.Low?.At.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
                ["day_volume_usd"] = step.DayVolumeUsd, ["open_interest_pct"] = position.OpenInterestPct,
            },
            new JsonObject
            {
                ["medium_pct"] = limits.MediumPct, ["high_pct"] = limits.HighPct, ["from_pct"] = limits.FromPct,
                ["window_seconds"] = (int)limits.Window.TotalSeconds, ["hold_share"] = HoldShare,
            },
            severity is null ? [] :
            [
                $"share = 100 * {position.NotionalUsd:0.00} / {equity:0.00} = {share} % "
                    + (severity == Severity.High ? $">= {limits.HighPct}: high" : $">= {limits.MediumPct}: medium"),
                $"share {since} before, at {step.Past.Low!.At:yyyy-MM-dd HH:mm:ss}Z = {step.Past.Low.SharePct} % <= {limits.FromPct}: "
                    + "taken over since",
            ]);
        return InventoryRuleSet.Takeover.Find(severity ?? Severity.Medium, InventoryRules.SubjectOf(position.VaultAddress, position.Coin),
            $"{InventoryRules.Name(position.VaultAddress)} {(since is null ? "holds" : "took over")} {InventoryRules.Amount(position)}"
            + $"{(since is null ? "" : $" within {since}")}, {share:0.0} % of HLP's equity",
            $"The component vault {position.VaultAddress} holds {position.Size} {position.Coin} with an unrealised PnL of "
            + $"{position.UnrealizedPnl:0.00} USD"
            + (since is null ? "." : $"; {since} before it held {step.Past.Low!.SharePct:0.####} % of HLP's equity in this coin."),
            evidence, [position.VaultAddress], position.UnrealizedPnl < 0 ? -position.UnrealizedPnl : null,
            severity switch { null => null, Severity.High => limits.HighPct, _ => limits.MediumPct }) with
        {
            IsHolding = severity is null,
        };
    }

    private static string Span(TimeSpan span) => span.TotalSeconds < 120 ? $"{span.TotalSeconds:0} s" : $"{span.TotalMinutes:0} min";
}
