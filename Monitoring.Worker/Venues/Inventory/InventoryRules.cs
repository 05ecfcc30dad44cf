using System.Text.Json.Nodes;
using Monitoring.Data.Events;
using Monitoring.Data.Venues;
using Monitoring.Data.Wording;
using Monitoring.Worker.Checks;

namespace Monitoring.Worker.Venues.Inventory;

/// <summary>
/// The rule <c>hlp.inventory</c>: what a component vault holds of one coin, against the equity of the whole, against what the coin's market
/// takes, and against all that is open in it.
/// </summary>
internal static class InventoryRules
{
    private static readonly decimal HoldShare = InventoryRuleSet.HoldShare.Default;

    /// <summary>At most one finding per component and coin; one that only holds keeps an open event open.</summary>
    public static IReadOnlyList<Finding> Evaluate(IReadOnlyList<InventoryStep> steps, decimal equity, InventoryThresholds thresholds) =>
        [.. steps.Select(step => FindConcentration(step, equity, thresholds)).OfType<Finding>()];

    /// <summary>Every fingerprint: where it is not known which components there are, or what they are a share of.</summary>
    public static readonly IReadOnlyList<string> UnjudgedOfAll =
        [InventoryRuleSet.Inventory.FingerprintOf("*"), InventoryRuleSet.Takeover.FingerprintOf("*")];

    /// <summary>
    /// The fingerprints that cannot be judged: positions that could not be read, shares without a base, and positions that matter in coins
    /// whose volume or open interest is not known.
    /// </summary>
    public static IReadOnlyList<string> Unjudged(
        IEnumerable<EventSubject> unread, IEnumerable<InventoryStep> steps, InventoryThresholds thresholds) =>
    [
        .. unread.Select(position => InventoryRuleSet.Inventory.FingerprintOf(position.Text)),
        .. steps.Where(step => !IsJudged(step, thresholds))
            .Select(step => InventoryRuleSet.Inventory.FingerprintOf(SubjectOf(step.Position.VaultAddress, step.Position.Coin).Text)),
    ];

    /// <summary>A coin in a component vault, which is what the rules of this monitor speak of.</summary>
    public static EventSubject SubjectOf(string component, string coin) => new("position", coin, Account: component);

    /// <summary>A component by the ends of its address.</summary>
    public static string Name(string component) => $"HLP component {Words.Address(component)}";

    /// <summary>How much of what, and which way.</summary>
    public static string Amount(HlpVaultPosition position) =>
        $"{position.NotionalUsd / 1_000_000:0.00} M USD of {position.Coin} {(position.Size < 0 ? "short" : "long")}";

    /// <summary>
    /// The shares of what is held, by the fingerprints of both rules; of a component that was read as a whole, what it does not hold is 0.
    /// </summary>
    public static IReadOnlyDictionary<string, decimal> Measure(IEnumerable<InventoryStep> steps, IEnumerable<string> read)
    {
        var measured = new Dictionary<string, decimal>();
        foreach (var rule in InventoryRuleSet.All)
        {
            foreach (var step in steps)
                if (step.Position.SharePct is { } share)
                    measured[rule.FingerprintOf(SubjectOf(step.Position.VaultAddress, step.Position.Coin).Text)] = share;
            foreach (var component in read)
                measured[rule.FingerprintOf(SubjectOf(component, "*").Text)] = 0;
        }

        return measured;
    }

    // One way in which a position can be too large: its severity, whether it keeps an event open, whether it could be judged, its
    // comparison, what it adds to the title, and the share of the equity that its severity asks for.
    private sealed record Leg(
        Severity? Severity, bool Holds, bool IsKnown, string Arithmetic, string Title = "", decimal? FromSharePct = null);

    private static bool IsJudged(InventoryStep step, InventoryThresholds limits)
    {
        if (step.Position.SharePct is not { } share)
            return false;
        var legs = JudgeAll(step, share, limits);
        return legs.Exists(leg => leg.Severity is not null) || legs.TrueForAll(leg => leg.IsKnown);
    }

    private static List<Leg> JudgeAll(InventoryStep step, decimal share, InventoryThresholds limits) =>
        [JudgeShare(share, limits), JudgeJump(step, share, limits), JudgeExit(step, share, limits.Exit),
            JudgeMarket(step, share, limits.Market)];

    private static Finding? FindConcentration(InventoryStep step, decimal equity, InventoryThresholds limits)
    {
        var position = step.Position;
        if (position.SharePct is not { } share)
            return null;
        var legs = JudgeAll(step, share, limits);
        var severity = legs.Max(leg => leg.Severity);
        if (severity is null && !legs.Exists(leg => leg.Holds))
            return null;

        var hours = step.FindHoursToExit(limits.Exit.VolumePct);
        var evidence = new Evidence(
            new JsonObject
            {
                ["coin"] = position.Coin, ["size"] = position.Size, ["notional_usd"] = position.NotionalUsd,
                ["unrealized_pnl_usd"] = position.UnrealizedPnl, ["equity_usd"] = equity, ["share_pct"] = share,
                ["earlier_share_pct"] = step.EarlierSharePct, ["jump_points"] = step.JumpPoints,
                ["day_volume_usd"] = step.DayVolumeUsd, ["hours_to_exit"] = hours, ["open_interest_pct"] = position.OpenInterestPct,
            },
            Show(limits),
            severity is null ? [] : [$"share = 100 * {position.NotionalUsd:0.00} / {equity:0.00} = {legs[0].Arithmetic}",
                .. legs.Skip(1).Select(leg => leg.Arithmetic)]);
        return InventoryRuleSet.Inventory.Find(severity ?? Severity.Medium, SubjectOf(position.VaultAddress, position.Coin),
            $"{Name(position.VaultAddress)} holds {Amount(position)}, {share:0.0} % of HLP's equity"
            + string.Concat(legs.Select(leg => leg.Title)),
            $"The component vault {position.VaultAddress} holds {position.Size} {position.Coin} with an unrealised PnL of "
            + $"{position.UnrealizedPnl:0.00} USD"
            + (hours is { } exit ? $", {exit:0.#} h to exit at {limits.Exit.VolumePct} % of the coin's volume" : "")
            + (position.OpenInterestPct is { } part ? $", {part:0.0} % of the coin's open interest." : "."),
            evidence, [position.VaultAddress], position.UnrealizedPnl < 0 ? -position.UnrealizedPnl : null,
            severity is null ? null : legs.First(leg => leg.Severity == severity).FromSharePct) with
        {
            IsHolding = severity is null,
        };
    }

    private static Leg JudgeShare(decimal share, InventoryThresholds limits)
    {
        var (severity, from, compared) =
            share >= limits.CriticalPct ? (Severity.Critical, limits.CriticalPct, $">= {limits.CriticalPct}: critical")
            : share >= limits.HighPct ? (Severity.High, limits.HighPct, $">= {limits.HighPct}: high")
            : share >= limits.MediumPct ? (Severity.Medium, limits.MediumPct, $">= {limits.MediumPct}: medium")
            : ((Severity?)null, limits.MediumPct, $"< {limits.MediumPct}");
        return new Leg(severity, share >= HoldShare * limits.MediumPct, IsKnown: true, $"{share} %: {compared}", FromSharePct: from);
    }

    // A rise is over with the check that sees it; the share that it led to keeps the event open.
    private static Leg JudgeJump(InventoryStep step, decimal share, InventoryThresholds limits) => step.JumpPoints is not { } jump
        ? new Leg(null, Holds: false, IsKnown: true, "jump: not known, no earlier check to compare with")
        : new Leg(jump >= limits.JumpPoints ? Severity.High : null, Holds: false, IsKnown: true,
            $"jump = {share} - {step.EarlierSharePct} = {jump} points "
            + (jump >= limits.JumpPoints ? $">= {limits.JumpPoints}: at least high" : $"< {limits.JumpPoints}"),
            FromSharePct: step.EarlierSharePct + limits.JumpPoints);

    private static Leg JudgeExit(InventoryStep step, decimal share, ExitThresholds limits)
    {
        if (step.FindHoursToExit(limits.VolumePct) is not { } hours)
            return new Leg(null, Holds: false, IsKnown: share < HoldShare * limits.HighSharePct,
                "hours to exit: not known, the venue gives no volume of the coin");
        bool Reaches(decimal mostHours, decimal fromShare) => hours >= mostHours && share >= fromShare;
        var (severity, compared) =
            Reaches(limits.CriticalHours, limits.CriticalSharePct)
                ? (Severity.Critical, $">= {limits.CriticalHours} h and a share >= {limits.CriticalSharePct} %: critical")
            : Reaches(limits.HighHours, limits.HighSharePct)
                ? (Severity.High, $">= {limits.HighHours} h and a share >= {limits.HighSharePct} %: high")
            : ((Severity?)null, $"not >= {limits.HighHours} h with a share >= {limits.HighSharePct} %");
        return new Leg(severity, Reaches(HoldShare * limits.HighHours, HoldShare * limits.HighSharePct), IsKnown: true,
            $"hours to exit = {step.Position.NotionalUsd:0.00} / ({limits.VolumePct} % * {step.DayVolumeUsd:0.00} / 24) = {hours}: "
            + compared,
            severity is null ? "" : $", {hours:0} h to exit",
            severity == Severity.Critical ? limits.CriticalSharePct : limits.HighSharePct);
    }

    private static Leg JudgeMarket(InventoryStep step, decimal share, MarketThresholds limits)
    {
        if (step.Position.OpenInterestPct is not { } part)
            return new Leg(null, Holds: false, IsKnown: share < HoldShare * limits.SharePct,
                "share of the market: not known, the venue gives no open interest of the coin");
        bool Reaches(decimal fromPart, decimal fromShare) => part >= fromPart && share >= fromShare;
        var (severity, compared) =
            Reaches(limits.CriticalPct, limits.SharePct)
                ? (Severity.Critical, $">= {limits.CriticalPct} % and a share >= {limits.SharePct} %: critical")
            : Reaches(limits.HighPct, limits.SharePct)
                ? (Severity.High, $">= {limits.HighPct} % and a share >= {limits.SharePct} %: high")
            : ((Severity?)null, $"not >= {limits.HighPct} % with a share >= {limits.SharePct} %");
        return new Leg(severity, Reaches(HoldShare * limits.HighPct, HoldShare * limits.SharePct), IsKnown: true,
            $"share of the market = {part} % of the open interest: {compared}",
            severity is null ? "" : $", {part:0.0} % of the open interest", limits.SharePct);
    }

    private static JsonObject Show(InventoryThresholds limits) => new()
    {
        ["medium_pct"] = limits.MediumPct, ["high_pct"] = limits.HighPct, ["critical_pct"] = limits.CriticalPct,
        ["jump_points"] = limits.JumpPoints, ["exit_volume_pct"] = limits.Exit.VolumePct,
        ["exit_high_hours"] = limits.Exit.HighHours, ["exit_high_share_pct"] = limits.Exit.HighSharePct,
        ["exit_critical_hours"] = limits.Exit.CriticalHours, ["exit_critical_share_pct"] = limits.Exit.CriticalSharePct,
        ["market_high_pct"] = limits.Market.HighPct, ["market_critical_pct"] = limits.Market.CriticalPct,
        ["market_share_pct"] = limits.Market.SharePct, ["hold_share"] = HoldShare,
    };
}
